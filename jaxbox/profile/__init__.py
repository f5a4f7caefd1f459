"""Where the time of a training program goes, by layer and by kind of operation.

README.md       what was found with it            operations.py   a compiled program's instructions
recording.py    runs a program under the profiler  table.py        what the command prints
"""
