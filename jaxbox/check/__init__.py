"""The project's own invariants, for the rows of its tables (`tests/test_tables.py`) and for a researcher's own code.

cases.py       small configurations      programs.py  one member alone, and a population, compiled once
invariants.py  what must hold            __main__.py  python -m jaxbox.check mine.py:Sparse
"""
