"""What is drawn: one scene a file; their rows are in `jaxbox.config.tables.SCENES`."""

from typing import Any, Protocol, runtime_checkable

from jaxtyping import Float, Int

from jaxbox.config import Task, tables
from jaxbox.layers.windows.windowed import Windowed


@runtime_checkable
class Scene(Protocol):
    """What a row of the table of scenes must be: a module, or an object, with these functions.

    Functions of integer positions accept NumPy arrays (and compute in float64, for analysis) or JAX arrays (float32,
    inside the compiled step).
    """

    def position_shape(self, task: Task) -> tuple[int, int]:
        """(P_y, P_x): how many rows and columns a position can take; N = P_y P_x positions are equally likely."""
        ...

    def position(self, task: Task, index: Int[Any, " n"]) -> Int[Any, "n 2"]:
        """The (column, row), in pixels, of the positions with these indices, from 0 to N - 1, row by row."""
        ...

    def centre(self, task: Task, positions: Int[Any, "n 2"]) -> Float[Any, "n 2"]:
        """The (x, y) that the network must find, in pixels from the image's top-left corner."""
        ...

    def render(self, task: Task, positions: Int[Any, "n 2"]) -> Float[Any, "n H W C"]:
        """Clean images with pixels in [0, 1]."""
        ...

    def moments(self, task: Task) -> tuple[float, float]:
        """Mean and variance of all clean pixels together, in [0, 1] units."""
        ...


@runtime_checkable
class WindowedScene(Scene, Protocol):
    """A scene whose row names `render`: all that differs between its images is one window on an even background."""

    def windows(self, task: Task, index: Int[Any, " n"], scale: float, offset: float) -> Windowed:
        """The images at these indices as windows, of pixels that are scaled and then shifted by these numbers."""
        ...


def of(task: Task) -> Scene:
    """The task's scene.

    Raises:
        ConfigurationError: it is in no table.
    """
    return tables.load("task.scene", task.scene)


def windowed(task: Task) -> WindowedScene:
    """The task's scene, of a task that takes windows (`config.tables.takes_windows`)."""
    return tables.load("task.scene", task.scene)
