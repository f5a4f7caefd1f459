"""Training as pure computation, which knows no file: one member, and many members as one compiled program.

sampling.py    which examples a seed trains on      groups.py      configurations that share a program
member.py      one member's state and steps         memory.py      how many members fit, and what cannot
metrics.py     the table of measures                devices.py     cores, precision
evaluation.py  predictions at every position        population.py  a group over the devices
checks.py      refuses what cannot be trained       cache.py       programs kept between processes
blocks.py      a batch's gradient, as fits a cache  probes.py      further measures, if asked for
strata.py      a sample of the positions            measuring.py   measures of one member's predictions
outputs.py     what a network's outputs say         executables.py whole programs, likewise
sealing.py     whose fate is sealed                 skipping.py    computation without those who are dropped
contracts.py   what the code behind a name must be
"""
