"""What the thread says, sentence by sentence, and what decides each: runs of an experiment, or a computation.

claim.py        what a claim is              settings.py     the settings in which each is tried
selecting.py    configurations by fields     statistics.py   the numbers of networks that are compared
steps.py        what computations find       comparing.py    how comparisons are written
table.py        every claim, and those that contradict each other

The claims, by who makes them: question.py, comments.py, answers_training.py, answers_data.py, linear.py,
information.py, field.py, field_losses.py.
"""
