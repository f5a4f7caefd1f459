"""The printed table of a profile: parts of a step and of an evaluation, by kind of operation."""

from collections.abc import Sequence

from rich import box
from rich.table import Table
from rich.text import Text

from jaxbox.profile.operations import KINDS
from jaxbox.profile.recording import Recording

CAPTION = (
    "Milliseconds of one member on one device. products: of matrices; pointwise: functions of each number; sums: and "
    "maxima; moved: numbers cut out, joined, turned, looked up; random: drawn and sorted. What the compiler has fused "
    "counts as its last operation. % of peak: operations of the part's matrix products over what a product of 1024 x "
    "1024 makes in the part's whole time."
)
LEAST_SHARE = 0.002
"""Parts that take less of a step, or of an evaluation, are added up in one row."""


def table(found: Recording) -> Table:
    """A row a part and direction, first of a step, then of an evaluation."""
    result = Table(caption=Text(CAPTION), caption_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for column in ("", *KINDS, "all", "% of time", "% of peak"):
        result.add_column(column, justify="right" if column else "left")
    for title, evaluating in (("a step", False), ("an evaluation", True)):
        for row in _rows(found, title, evaluating):
            result.add_row(*row)
        result.add_section()
    return result


def _rows(found: Recording, title: str, evaluating: bool) -> list[list[str]]:
    own = {key: each for key, each in found.seconds.items() if key[0].startswith("evaluation") == evaluating}
    whole = sum(own.values())
    parts = dict.fromkeys((part, backward) for part, backward, _ in own)
    times = {key: [own.get((*key, kind), 0.0) for kind in KINDS] for key in parts}
    flops = {key: found.flops.get(key, 0.0) for key in parts}
    shown = sorted((key for key in parts if sum(times[key]) > LEAST_SHARE * whole), key=lambda key: -sum(times[key]))
    rows = [_row(_label(*key), times[key], flops[key], whole, found.peak_flops) for key in shown]
    rest = [key for key in parts if key not in shown]
    if rest:
        together = [sum(each) for each in zip(*(times[key] for key in rest), strict=True)]
        rows.append(_row("all others", together, sum(flops[key] for key in rest), whole, found.peak_flops))
    everything = [sum(each) for each in zip(*times.values(), strict=True)] if times else [0.0] * len(KINDS)
    return [_row(f"[bold]{title}[/bold]", everything, sum(flops.values()), whole, found.peak_flops), *rows]


def _label(part: str, backward: bool) -> str:
    return part.removeprefix("evaluation, ") + (", backward" if backward else "")


def _row(label: str, times: Sequence[float], flops: float, whole: float, peak_flops: float) -> list[str]:
    own = sum(times)
    cells = [f"{1000 * each:.3g}" if each else "" for each in (*times, own)]
    share = f"{100 * own / whole:.1f}" if whole else ""
    return [label, *cells, share, f"{100 * flops / (own * peak_flops):.0f}" if flops and own else ""]
