"""The sheet of all scenes that README shows: `python tests/scene_sheet.py analysis/figures/shown/scenes.png`."""

import sys
from pathlib import Path

import jax
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from jaxbox import task as tasks
from jaxbox.config import Task, tables
from jaxbox.task import scenes

PICTURES = 4
SIZES = {"box_size": 5, "smallest_box": 3, "overhang": 2}


def sheet() -> Figure:
    """A row of pictures a scene, 24 x 24 pixels; a cross marks the target."""
    figure = Figure(figsize=(6.5, 3.6), layout="constrained")
    names = list(tables.SCENES)
    columns = 2 * PICTURES
    axes = figure.subplots(-(-len(names) // 2), columns)
    for number, name in enumerate(names):
        row, half = number % axes.shape[0], number // axes.shape[0]
        own = axes[row, half * PICTURES : (half + 1) * PICTURES]
        own[0].set_title(name, loc="left", fontsize=7)
        _row(own, name)
    for panel in axes.flat:
        panel.set_axis_off()
    return figure


def _row(axes, name: str) -> None:
    many = 12 if name == "dots" else 5
    task = Task(24, 24, scene=name, channels=3 if name == "red_box" else 1, distractors=many, **SIZES)
    index = np.random.default_rng(1).integers(tasks.position_count(task), size=PICTURES)
    places = tasks.position(task, index)
    images = tasks.render(task, places, jax.random.key(2))
    for panel, image, centre in zip(axes, images, scenes.of(task).centre(task, places), strict=True):
        panel.imshow(image if task.channels == 3 else image[..., 0], cmap="gray", vmin=0, vmax=1)
        # Pixel j is drawn from j - .5 to j + .5.
        panel.plot(*(centre - 0.5), "+", color="tab:cyan", markersize=4, markeredgewidth=0.8)


def save(path: Path) -> None:
    """The sheet as a picture."""
    figure = sheet()
    FigureCanvasAgg(figure)
    figure.savefig(path, dpi=150)


if __name__ == "__main__":
    save(Path(sys.argv[1]))
