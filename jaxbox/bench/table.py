"""The printed table of a comparison, and what must be said beside it."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich import box
from rich.table import Table
from rich.text import Text

from jaxbox.bench import problem
from jaxbox.bench.sides import JAXBOX

CAPTION = (
    "Medians [quartiles] over the rounds. measured: members that were timed; sides that loop over seeds, or are slow, "
    "are timed on fewer than were asked for. x jaxbox: a side's time over jaxbox's, paired by round; above 1 jaxbox is "
    "faster. % of peak: operations that the network needs on rendered images, over those of the fastest matrix "
    "products that were measured on this machine; a side that needs less arithmetic than rendered images do can pass "
    "100%. The steps' times are without evaluations, whose own times stand below."
)
COLUMNS = ("side", "measured", "ms a seed-step", "seed-steps/s", "x jaxbox", "% of peak", "peak MiB", "compile s")


def table(cases: Sequence[Mapping[str, Any]]) -> Table:
    """A section a case, a row a side."""
    result = Table(caption=Text(CAPTION), caption_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for column in COLUMNS:
        result.add_column(column, justify="left" if column == "side" else "right")
    for case in cases:
        result.add_row(f"[bold]{_label(case)}[/bold]")
        for name, side in case["sides"].items():
            result.add_row(f"  {name}", *_cells(side))
        result.add_section()
    return result


def _label(case: Mapping[str, Any]) -> str:
    """A case in words."""
    name = problem.label(case["model"], case.get("scene", problem.BOX))
    return f"{name} {case['size']} x {case['size']}, {case['seeds']} seed{'s' * (case['seeds'] > 1)}"


def _cells(side: Mapping[str, Any]) -> list[str]:
    memory = side["peak_memory_bytes"]
    return [
        str(side["seeds_measured"]),
        _spread(side["ms_per_seed_step"]),
        f"{side['seed_steps_per_second']:,.4g}",
        _spread(side["times_jaxbox"]),
        f"{100 * side['share_of_peak']:.3g}",
        " + ".join(f"{memory[place] / 2**20:.0f}" for place in ("host", "device") if place in memory),
        f"{side['compile_seconds']:.1f}",
    ]


def _spread(values: Mapping[str, float]) -> str:
    return "{median:.3g} [{lower:.3g}, {upper:.3g}]".format(**values)


def remarks(content: Mapping[str, Any]) -> list[str]:
    """Lines below the table: who wins where, what evaluations cost, who was left out and why."""
    cases = content["cases"]
    lines = [line for case in cases for line in _wins(case)]
    lines = lines or ["jaxbox is the fastest side in every case"] * bool(cases)
    for case in cases:
        lines += _evaluations(case)
        lines += [f"{_label(case)}: {name} {why}" for name, why in case["unmeasured"].items()]
    return lines + [f"skipped {name}: {why}" for name, why in content["skipped"].items()]


def _wins(case: Mapping[str, Any]) -> list[str]:
    """A line for each peer that is faster than jaxbox; other ways to use jaxbox are no peers."""
    lines = []
    for name, side in case["sides"].items():
        ratio = {key: 1 / value for key, value in side["times_jaxbox"].items()}
        if not name.startswith(JAXBOX) and ratio["median"] > 1:
            bounds = f"[{ratio['upper']:.2f}, {ratio['lower']:.2f}]"
            verb = "wins" if side["times_jaxbox"]["upper"] < 1 else "is ahead, but within the spread"
            lines.append(f"{_label(case)}: {name} {verb}, {ratio['median']:.2f} {bounds} times as fast as jaxbox")
    return lines


def _evaluations(case: Mapping[str, Any]) -> list[str]:
    """A line for each side that evaluates."""
    lines = []
    for name, side in case["sides"].items():
        if found := side["evaluation"]:
            share = f"{100 * found['share']:.2g}% of the time with one every {found['every']} steps"
            seconds = f"{1e3 * found['seconds_per_seed']:.3g} ms a seed"
            lines.append(f"{_label(case)}: {name} evaluates in {seconds}: {share}")
    return lines
