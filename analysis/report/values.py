"""What the page is made of: numbers that know their interval and their source, sentences and tables of them."""

import dataclasses
import math
from collections.abc import Callable, Sequence
from typing import Any

import pandas

from analysis.statistics import Interval

FEW = 6
"""So many configurations, or tasks, have a line each; of more only the extremes are told, and the tables have all."""


def _percent(value: float) -> str:
    """Whole percents, but for what they would round to never or always."""
    return f"{100 * value:.1f}" if 0 < value < 0.01 or 0.99 < value < 1 else f"{100 * value:.0f}"


def _score(value: float) -> str:
    """An R2: the better it is, the more digits matter, from four up to six."""
    if value < 0:
        return f"{value:.3f}" if value > -10 else f"{value:.3g}"
    digits = 4 if value >= 1 - 1e-9 else min(max(4, 1 - math.floor(math.log10(1 - value))), 6)
    return f"{value:.{digits}f}"


FORMATS: dict[str, Callable[[float], str]] = {
    "share": _percent,
    "R2": _score,
    "R2 difference": lambda value: f"{value:#.2g}",
    "nats": lambda value: f"{value:.3f}",
    "probability": lambda value: f"{value:.2f}",
    "s": lambda value: f"{value:.1f}" if value < 10 else f"{value:.0f}",
    "count": lambda value: f"{value:.0f}",
    "1": lambda value: f"{value:.4g}",
}
"""How a finite number is written, by its unit."""


@dataclasses.dataclass(frozen=True)
class Number:
    """A number with its unit, where it comes from, and the ends of its 95% interval if it has one.

    `name` is its row in summary.csv; the numbers in tables need none.
    """

    value: float
    unit: str
    source: str
    low: float = math.nan
    high: float = math.nan
    name: str = ""

    def __str__(self) -> str:
        """As it is read: 22% [14, 33]."""
        sign = "%" if self.unit == "share" else " s" if self.unit == "s" else ""
        text = self._written(self.value) + (sign if math.isfinite(self.value) else "")
        return text + f" [{self._written(self.low)}, {self._written(self.high)}]" * self.has_interval

    @property
    def has_interval(self) -> bool:
        """Whether there is one that says anything: that of a single seed goes from -inf to inf."""
        return not (math.isnan(self.low) or self.high - self.low == math.inf == self.high)

    def _written(self, value: float) -> str:
        if math.isnan(value):
            return "–"
        return FORMATS[self.unit](value) if math.isfinite(value) else "∞" if value > 0 else "-∞"


Words = tuple[str | Number, ...]
"""A sentence."""
Cell = str | Number
NOTHING = ""
"""The cell of what there is not."""


def number(interval: Interval, unit: str, source: str, name: str = "") -> Number:
    """A number with the interval that `analysis.statistics` gave it."""
    return Number(float(interval.value), unit, source, float(interval.low), float(interval.high), name)


def count(value: Any, source: str, name: str = "") -> Number:
    """How many."""
    return Number(int(value), "count", source, name=name)


def plain(words: Words) -> str:
    """The sentence as text."""
    return "".join(map(str, words))


def listed(names: Sequence[str], most: int = 3) -> str:
    """Names in quotation marks; of many the first few, and how many more."""
    quoted = [f"“{name}”" for name in names[:most]]
    more = [f"{len(names) - most} more"] if len(names) > most else []
    *front, last = [*quoted, *more]
    return f"{', '.join(front)} and {last}" if front else last


@dataclasses.dataclass(frozen=True)
class Column:
    """A column: its key in the CSV, its heading on the page (none: in the CSV only), and what it says."""

    key: str
    heading: str
    meaning: str


@dataclasses.dataclass(frozen=True)
class Table:
    """Rows of cells, and the CSV that they are saved as."""

    name: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]

    @property
    def shown(self) -> list[int]:
        """Which columns are on the page."""
        return [place for place, column in enumerate(self.columns) if column.heading]

    def frame(self) -> pandas.DataFrame:
        """As it is saved: NAME, and NAME_low and NAME_high where numbers of the column have an interval."""
        columns: dict[str, list[Any]] = {}
        for place, column in enumerate(self.columns):
            cells = [row[place] for row in self.rows]
            columns[column.key] = [cell.value if isinstance(cell, Number) else cell for cell in cells]
            if any(isinstance(cell, Number) and not math.isnan(cell.low) for cell in cells):
                for end in ("low", "high"):
                    columns[f"{column.key}_{end}"] = [getattr(cell, end, math.nan) for cell in cells]
        return pandas.DataFrame(columns)


def summary(numbers: Sequence[Number]) -> pandas.DataFrame:
    """summary.csv: a row a number of the sentences."""
    rows = [(each.name, each.value, each.low, each.high, each.unit, each.source) for each in numbers]
    return pandas.DataFrame(rows, columns=["name", "value", "low", "high", "unit", "from"])
