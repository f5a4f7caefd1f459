"""The page about a run: what came out, beside what can be known, in one file that needs nothing else.

python -m analysis.report runs/thread

gather.py         the run, its comparison, and what the page needs beside both
collapse_rate.py  how often, in sentences      argument.py    the thread's argument beside this run
distance.py       how good the rest is         limits.py      what cannot be said
preference.py     which is best, and how sure  provenance.py  where it all comes from
choice.py         the same in sentences        chain.py       the information chain
tables.py         configurations, members      values.py      numbers with a source, sentences, tables
content.py        all that the page says       pictures.py    its figures
rendering.py      as HTML and as Markdown      folder.py      whose files are whose
"""
