"""The information chain of each task, as a table, and the members for which it does not hold."""

import numpy as np

from analysis.comparison import DIVERGED
from analysis.report.gather import Gathered
from analysis.report.values import NOTHING, Cell, Column, Number, Table, count

_CHAIN = {
    "entropy": ("H(Y)", "all there is to know"),
    "information_input": ("I(Y;X)", "what the image says"),
    "information": ("I(Y;Ŷ)", "what the predictions say, median over members"),
    "rate_distortion": ("R(MSE)", "what any prediction with this error must say, median"),
    "discrete_shannon": ("Shannon, lattice", "a bound on that, median"),
    "dithered": ("dithered", "a looser one, median"),
    "thread_bound": ("the thread's", "no bound on a lattice, median"),
}


def chain(run: Gathered) -> Table:
    """A row a task and coordinate: H(Y) >= I(Y;X) >= I(Y;Yhat) >= R(MSE) >= ..., and whether it held."""
    columns = (
        *(Column("task", "task", "the images"), Column("axis", "axis", "coordinate")),
        Column("members", "members", "that have an evaluation and did not diverge"),
        *(Column(key, title, meaning + ", in nats") for key, (title, meaning) in _CHAIN.items()),
        Column("broken", "chain broken for", "members for which a link does not hold within the errors"),
    )
    tasks = [(task, rows) for task, rows in run.same_task().items() if run.begun[rows].any()]
    rows = [_link(run, task, rows, axis) for task, rows in tasks for axis in range(run.compared.sizes["axis"])]
    return Table("chain", columns, tuple(rows))


def _link(run: Gathered, task: int, rows: list[int], axis: int) -> tuple[Cell, ...]:
    members = run.begun[rows] & (run.fate[rows] != DIVERGED)
    cells: list[Cell] = [run.task_name(task), str(run.compared["axis"].values[axis]), count(members.sum(), "fate")]
    for key in _CHAIN:
        values = run.compared[key].values[rows]
        values = values[..., axis][members] if values.ndim > 2 else values[:1, axis]
        cells.append(Number(float(np.median(values)), "nats", key) if len(values) else NOTHING)
    broken = (run.compared["broken_link"].values[rows][..., axis] != "").sum()
    return (*cells, count(broken, "broken_link"))


def broken(run: Gathered) -> Table:
    """A row a link that does not hold, with its member."""
    columns = (
        *(Column("configuration", "#", "number of the configuration"), Column("label", "configuration", "what varies")),
        *(Column("seed", "seed", "of the member"), Column("axis", "axis", "coordinate")),
        Column("link", "link that does not hold", "the first should be at least the second"),
        *(Column(key, title, f"{meaning.removesuffix(', median')}, in nats") for key, (title, meaning) in
          _CHAIN.items() if key != "thread_bound"),
    )  # fmt: skip
    links = run.compared["broken_link"].values
    rows = []
    for place in zip(*np.nonzero(links != ""), strict=True):
        row, seed, axis = map(int, place)
        cells: list[Cell] = [count(row, "configuration"), run.names[row], count(seed, "seed")]
        cells += [str(run.compared["axis"].values[axis]), str(links[place])]
        for key in list(_CHAIN)[:-1]:
            values = run.compared[key].values
            cells.append(Number(float(values[place] if values.ndim > 2 else values[row, axis]), "nats", key))
        rows.append(tuple(cells))
    return Table("broken_links", columns, tuple(rows))
