"""How often members collapse, with Wilson's intervals, by kind: against what varies, as lines, a map, or a list."""

from pathlib import Path

import numpy as np
import xarray
from matplotlib.figure import Figure

from analysis import statistics
from analysis.comparison import FATES, NOT_BEGUN, compare
from analysis.figures import panels, rate_layouts, selection
from jaxbox import config

ROWS = 24
"""At most so many configurations are listed; lines and maps show all."""
LAYOUTS = {"lines": rate_layouts.lines, "map": rate_layouts.map_, "list": rate_layouts.list_}
# More lines than this are not told apart.
LINES = 7


def numbers(run: Path) -> xarray.Dataset:
    """`rate`, its 95% interval `low` to `high`, and the count `members`, all (configuration, kind), of `begun`.

    What varies is a coordinate on configuration; the attribute `layout` says how it is drawn, `across` along which
    fields.
    """
    compared = compare(run)
    selection.require_begun(run, compared, "collapse_rate")
    own = compared.drop_vars("configuration").coords  # without the number of each
    varied = [str(name) for name, values in own.items() if values.dims == ("configuration",)]
    order = list(config.DEFAULTS)  # of definition; what is a kind's own comes last
    varied.sort(key=lambda name: order.index(name) if name in order else len(order))
    layout, across = choose_layout(compared, varied)
    count = compared.sizes["configuration"]
    chosen = selection.most_collapsed(compared, ROWS if layout == "list" else count)
    compared = compared.isel(configuration=chosen)
    kinds = [kind for kind in FATES if kind != "none" and (compared["fate"] == kind).any()] or ["none"]
    found = xarray.Dataset(
        _rates(compared, kinds) | {"label": compared["label"].reset_coords(drop=True)},
        {"configuration": compared["configuration"].values, "kind": kinds},
    ).assign_coords({name: compared.coords[name].drop_vars(varied) for name in varied})
    found.attrs = {"layout": layout, "across": across, "caption": _caption(compared, kinds, count)}
    return found


def _rates(compared: xarray.Dataset, kinds: list[str]) -> dict[str, tuple]:
    """The variables (configuration, kind); NaN where no member of a configuration has begun."""
    fate = compared["fate"].values
    begun = (fate != NOT_BEGUN).sum(1)
    members = np.stack([(fate == kind).sum(1) for kind in kinds], axis=1)
    interval = np.array(statistics.wilson(members, np.maximum(begun, 1)[:, None]))
    interval = np.where(begun[:, None] > 0, interval, np.nan)
    dims = ("configuration", "kind")
    words = ("of those that have begun", "lower end of its 95% Wilson interval", "upper end of it")
    found = {"members": panels.variable(dims, members, "1", "members of this kind")}
    found["begun"] = panels.variable(["configuration"], begun, "1", "members that have begun")
    for name, values, about in zip(("rate", "low", "high"), interval, words, strict=True):
        found[name] = panels.variable(dims, values, "1", f"share of members, {about}")
    return found


def choose_layout(compared: xarray.Dataset, varied: list[str]) -> tuple[str, list[str]]:
    """`lines`, `map` or `list`, and the fields along the axes.

    Lines if one number varies, alone or for each combination of the other fields; a map if two fields vary that have
    an order, numbers or tuples; each combination of values once. Everything else is a list.
    """
    types = {path: config.field_types().get(path) or _kind(compared[path].values) for path in varied}
    numbers = [path for path in varied if types[path] in (int, float)]
    values = {path: np.unique(compared[path].values) for path in varied}
    crossed = int(np.prod([len(of) for of in values.values()])) == compared.sizes["configuration"]
    words = [path for path in varied if types[path] in (str, bool)]
    if crossed and len(varied) == 2 and numbers and not words:
        return "map", sorted(varied, key=lambda path: -len(values[path]))
    if crossed and len(numbers) == 1 and compared.sizes["configuration"] <= LINES * len(values[numbers[0]]):
        return "lines", numbers
    return "list", []


def _kind(values: np.ndarray) -> type:
    """The type of an option of a kind's own, as its values are stored."""
    return {"f": float, "i": int, "b": bool}.get(values.dtype.kind, str)


def _caption(compared: xarray.Dataset, kinds: list[str], count: int) -> str:
    seeds = panels.plural(compared.sizes["seed"], "seed")
    what = "by what became of them, a panel a kind" if kinds != ["none"] else "that do not collapse: none does"
    chosen = selection.left_out(compared, compared.sizes["configuration"], count)
    return f"Share of members {what}, with 95% Wilson intervals; {seeds} a configuration.{chosen}"


def draw(numbers: xarray.Dataset, figure: Figure) -> None:
    """As `choose_layout` says."""
    LAYOUTS[numbers.attrs["layout"]](numbers, figure)
