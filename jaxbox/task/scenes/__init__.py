"""What is drawn: one scene a file; their rows are in `jaxbox.config.tables.SCENES`."""

from typing import Any, Protocol, runtime_checkable

from jaxtyping import Array, Float, Int, Key

from jaxbox.config import Task, tables
from jaxbox.layers.windows.windowed import Windowed


@runtime_checkable
class Lattice(Protocol):
    """Where a scene's target can be, and where that is in the image.

    Functions of integer positions accept NumPy arrays (and compute in float64, for analysis) or JAX arrays (float32,
    inside the compiled step).
    """

    def position_shape(self, task: Task) -> tuple[int, int]:
        """(P_y, P_x): how many rows and columns a position can take; N = P_y P_x positions are equally likely."""
        ...

    def position(self, task: Task, index: Int[Any, " n"]) -> Int[Any, "n 2"]:
        """The (column, row) of the positions with these indices, from 0 to N - 1, row by row.

        In pixels from the image's top-left corner, unless the scene says otherwise; never negative.
        """
        ...

    def centre(self, task: Task, positions: Int[Any, "n 2"]) -> Float[Any, "n 2"]:
        """The (x, y) that the network must find, in pixels from the image's top-left corner."""
        ...


@runtime_checkable
class Scene(Lattice, Protocol):
    """What a row of the table of scenes must be: a module, or an object, with these functions.

    It may have `moments`, too (`KnownMoments`).
    """

    def render(self, task: Task, positions: Int[Any, "n 2"]) -> Float[Any, "n H W C"]:
        """Clean images with pixels in [0, 1]."""
        ...


@runtime_checkable
class DrawingScene(Lattice, Protocol):
    """The same, of a scene whose images have something random beside the position. Its row cannot name `render`."""

    def draw(self, task: Task, key: Key[Array, ""]) -> Any:
        """What one image draws: a tree of arrays, which depend on the key and on fields that are not floats."""
        ...

    def render(self, task: Task, positions: Int[Any, "n 2"], drawn: Any) -> Float[Any, "n H W C"]:
        """Clean images with pixels in [0, 1].

        Args:
            drawn: of `draw`, with a first axis n; NumPy arrays where the positions are.
        """
        ...


@runtime_checkable
class KnownMoments(Protocol):
    """A scene of either kind that knows what is otherwise estimated (`jaxbox.task.population`)."""

    def moments(self, task: Task) -> tuple[float, float]:
        """Mean and variance of all clean pixels together, in [0, 1] units."""
        ...


@runtime_checkable
class WindowedScene(Scene, Protocol):
    """A scene whose row names `render`: all that differs between its images is one window on an even background."""

    def windows(self, task: Task, index: Int[Any, " n"], scale: Any, offset: float) -> Windowed:
        """The images at these indices as windows, of pixels that are scaled and then shifted by these numbers."""
        ...


def of(task: Task) -> Scene | DrawingScene:
    """The task's scene.

    Raises:
        ConfigurationError: it is in no table.
    """
    return tables.load("task.scene", task.scene)


def draws(task: Task) -> bool:
    """Whether the task's images have something random beside the position and the noise."""
    return isinstance(of(task), DrawingScene)


def windowed(task: Task) -> WindowedScene:
    """The task's scene, of a task that takes windows (`config.tables.takes_windows`)."""
    return tables.load("task.scene", task.scene)
