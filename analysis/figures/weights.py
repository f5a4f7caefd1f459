"""Linear maps as pictures: the exact ones for x, what members weigh, and how like the best linear map that is.

A network that is not linear has two: its best linear approximation over the images, and its mean Jacobian.
"""

import dataclasses
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import xarray
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas

from analysis import closed_forms, laws, linear
from analysis.comparison import known, maps, snapshot
from analysis.figures import series
from analysis.figures.contract import Unfilled
from analysis.figures.panels import variable
from analysis.figures.selection import FINE, require_begun
from jaxbox.config import Configuration, Data, RunError, Task

COMMAND = (
    "python -m jaxbox.sweep base --vary model.name linear mlp cnn --optimizer.learning_rate 0.001 --steps 300 "
    "--seeds 4 --name maps"
)
LEVELS = (0.1, 0.5, 1.5)
"""Standard deviations of white noise, for which the best linear map is shown."""
MOST_MODELS = 4
COLOURS = "cividis"
"""Blue below zero, grey at zero and yellow above it, and lighter all the way: it reads in grey too."""
ROOM = 1.5
"""The scale of colours ends at this many times the largest exact weight; members' own may be beyond it."""
UNITS = "target units per unit of input"


class Picture(NamedTuple):
    """Weights of x, with what they are and whose: of -1 where they are nobody's."""

    title: str
    weights: Float[np.ndarray, "H W"]
    configuration: int = -1
    seed: int = -1


def numbers(run: Path) -> xarray.Dataset:
    """Pictures on (picture, row, column), and the cosine of each with the best linear map of the members' task."""
    _, plan, compared = snapshot(run)
    require_begun(run, compared, "weights")
    configurations = plan.configurations
    chosen = _chosen(configurations, compared)
    if not chosen:
        need = "a member that has not collapsed, on a task with linear closed forms"
        raise Unfilled(f"figure: weights needs {need}, which {run} has not; for example: {COMMAND}")
    task, data = known.judged(configurations[chosen[0][0]])
    pictures = _exact(task, data)
    for number, seed in chosen:
        pictures += _learned(run, configurations[number], number, seed)
    best = linear.lmmse(task, data).weights[..., 0]
    shown, exact = (
        np.array([picture.weights for picture in pictures]),
        [picture.configuration < 0 for picture in pictures],
    )
    limit = ROOM * float(np.abs(shown[exact]).max())
    cosines = [_cosine(picture, best) for picture in shown]
    like = "cosine with the best linear map of the members' task; NaN: all weights are 0"
    data = xarray.Dataset(
        {
            "weights": variable(("picture", "row", "column"), shown, UNITS, "weight of a pixel in x"),
            "cosine": variable(("picture",), cosines, "1", like),
            "limit": variable((), limit, UNITS, "end of the scale of colours"),
        },
        {
            "picture": [picture.title for picture in pictures],
            "member_configuration": ("picture", [picture.configuration for picture in pictures]),
            "member_seed": ("picture", [picture.seed for picture in pictures]),
        },
    )
    return data.assign_attrs(caption=_caption(task, configurations, chosen))


def _chosen(plan: tuple[Configuration, ...], compared: xarray.Dataset) -> list[tuple[int, int]]:
    """Of each model the first healthy member, (configuration, seed), all of one task; linear ones first."""
    healthy = np.isin(compared["fate"].values, FINE[:2])
    able = [number for number, own in enumerate(plan) if healthy[number].any() and _has_maps(own)]
    able.sort(key=lambda number: plan[number].model.name != "linear")
    found: dict[str, int] = {}
    for number in able:
        if known.judged(plan[number]) == known.judged(plan[able[0]]):
            found.setdefault(plan[number].model.name, number)
    seeds = compared["seed"].values
    return [(number, int(seeds[healthy[number].argmax()])) for number in list(found.values())[:MOST_MODELS]]


def _has_maps(own: Configuration) -> bool:
    """Whether all of `analysis.comparison.weights` is known of its members."""
    approximated = laws.is_uniform(own.data) or not known.is_noisy(own.task)
    return approximated and closed_forms.has(own.task, closed_forms.LINEAR, own.data)


def _exact(task: Task, data: Data) -> list[Picture]:
    noisy = [dataclasses.replace(task, noise="white", noise_level=level) for level in LEVELS]
    best = [Picture(f"best linear, σ = {own.noise_level:g}", linear.lmmse(own, data).weights[..., 0]) for own in noisy]
    first = Picture("ramp", linear.ramp(task).weights[..., 0])
    return [first, Picture("minimum norm", linear.minimum_norm(task).weights[..., 0]), *best]


def _learned(run: Path, own: Configuration, number: int, seed: int) -> list[Picture]:
    try:
        found = maps.weights(run, number, seed)["picture"].sel(axis="x")
    except RunError as error:
        raise Unfilled(f"figure: weights needs the checkpoints of members: {error}") from None
    names = (
        {"learned": "weights"}
        if own.model.name == "linear"
        else {"best_linear": "approximation", "jacobian": "Jacobian"}
    )
    return [
        Picture(f"{own.model.name}: {words}", found.sel(map=name).values, number, seed) for name, words in names.items()
    ]


def _cosine(picture: Float[np.ndarray, "H W"], best: Float[np.ndarray, "H W"]) -> float:
    length = np.linalg.norm(picture) * np.linalg.norm(best)
    return float(np.sum(picture * best) / length) if length > 0 else np.nan


def _caption(task: Task, plan: tuple[Configuration, ...], chosen: list[tuple[int, int]]) -> str:
    whose = ", ".join(f"{plan[number].model.name}: seed {seed} of configuration {number}" for number, seed in chosen)
    noise = f"{task.noise} noise {task.noise_level:g}" if known.is_noisy(task) else "no noise, hence the minimum norm"
    return (
        "Weights of the pixels in x: exact maps (σ: standard deviation of white noise), and those of the first healthy "
        f"member of each model, which speak for no other seed ({whose}). cos: cosine with the best linear map of the "
        f"members' task ({noise})."
    )


def draw(numbers: xarray.Dataset, figure: Canvas) -> None:
    """The pictures in rows, with one scale of colours for all."""
    width, count = figure.get_size_inches()[0], numbers.sizes["picture"]
    columns = min(2 if width < series.NARROW else 5, count)
    rows = -(-count // columns)
    shape = numbers.sizes["row"] / numbers.sizes["column"]
    figure.set_size_inches(width, rows * (width / columns * 0.8 * shape + 0.35) + 0.6)
    axes = list(figure.subplots(rows, columns, squeeze=False).flat)
    for empty in axes[count:]:
        empty.set_axis_off()
    limit = float(numbers["limit"])
    images = [_picture(axes[place], numbers.isel(picture=place), limit) for place in range(count)]
    axes[0].set_ylabel("row (pixels)")
    axes[0].set_yticks([0, numbers.sizes["row"] - 1])
    beyond = bool((np.abs(numbers["weights"]) > limit).any())
    label = f"weight in x ({numbers['weights'].attrs['units']})"
    figure.colorbar(images[0], ax=axes, location="bottom", shrink=0.6, aspect=40, pad=0.02,
                    extend="both" if beyond else "neither", label=label)  # fmt: skip


def _picture(axes: Axes, own: xarray.Dataset, limit: float) -> Any:
    image = axes.imshow(own["weights"].values, cmap=COLOURS, vmin=-limit, vmax=limit, interpolation="nearest")
    axes.set_title(str(own["picture"].values))
    cosine = float(own["cosine"])
    axes.set_xlabel(f"cos {cosine:.2f}" if np.isfinite(cosine) else "all weights 0", labelpad=2)
    axes.set_xticks([])
    axes.set_yticks([])
    return image
