"""What the thread says, sentence by sentence, and what decides each: runs of an experiment, or a computation.

claim.py        what a claim is              settings.py     the settings in which each is tried
selecting.py    configurations by fields     statistics.py   the numbers of networks that are compared
steps.py        what computations find       comparing.py    how comparisons are written
table.py        every claim, and those that contradict each other
runs.py         the runs that claims need    making.py       makes them, until all is decided
judging.py      what an interval says        verdicts.py     what all of it says of a claim
telling.py      tables and stories in text   page.py         the page; picture.py, provenance.py: parts of it

The claims, by who makes them: question.py, comments.py, answers_training.py, answers_data.py, linear.py,
information.py, field.py, field_losses.py.
"""
