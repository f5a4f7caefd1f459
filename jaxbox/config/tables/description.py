"""What each name is and which options it reads, as lines: the end of every help text."""

import textwrap
from collections.abc import Iterator, Sequence

from jaxbox.config.rows import IMAGE, Row
from jaxbox.config.tables import TABLES, row

WINDOWS = "[windows]"
"""Marks a row that names `render`."""
LEGEND = f"{WINDOWS}: can do without images; --render has an effect where scene, noise, inputs, labels, model all can"


def describe(width: int = 80, own: Sequence[tuple[str, str]] = ()) -> Iterator[str]:
    """Lines of at most this width that say what each name is and which options it reads; the end of every help text.

    Args:
        own: field and name of what is from outside, to be described as well.
    """
    for field, names in TABLES.items():
        table = names | {name: row(field, name) for of, name in own if of == field}
        yield f"{field}:"
        longest = max(map(len, table))
        for name, each in table.items():
            yield textwrap.fill(
                f"  {name:<{longest}}  {_say(each)}",
                width,
                subsequent_indent=" " * (longest + 6),
                break_on_hyphens=False,
            )
    yield textwrap.fill(LEGEND, width)


def _say(row: Row) -> str:
    """What a name is and reads, but for an image's sizes, which every scene reads."""
    reads = [path for path in row.reads if path not in (*IMAGE, "render")]
    options = f"; reads {', '.join(reads)}" if reads else ""
    return row.summary + options + (f" {WINDOWS}" if "render" in row.reads else "")
