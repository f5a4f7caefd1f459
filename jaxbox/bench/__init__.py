"""The speed of jaxbox beside other ways to train the same networks on the same data; nothing imports this package.

arguments.py   words -> what to measure               sides.py        the table of sides: jaxbox's and its peers'
measuring.py   every case, in turns, into a file      side.py         what a side must do
cases.py       one network and size: its processes    jax_side.py     what sides on JAX share
process.py     a side's process, from outside         jaxbox_side.py  jaxbox itself
worker.py      the program that runs in it            peers/          the others, one a file
problem.py     what sides train, as NumPy arrays      comparison.py   what the samples say
making.py      such a problem, made by jaxbox         table.py        how it is printed
arithmetic.py  the operations that a step needs       plot.py         how it is drawn
machine.py     where it was measured
"""
