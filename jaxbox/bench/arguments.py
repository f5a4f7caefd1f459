"""From the words of a command line to what is to be measured. Imports no JAX, so that help comes at once."""

import dataclasses
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import tyro

from jaxbox import command_line, config
from jaxbox.bench.problem import BOX, NETWORKS
from jaxbox.bench.sides import JAXBOX, SIDES
from jaxbox.config import ConfigurationError, RunError, tables
from jaxbox.plotting import SUFFIXES

Flag = tyro.conf.FlagCreatePairsOff[bool]
Words = Annotated[tuple[str, ...], tyro.conf.arg(metavar="NAME [NAME ...]")]
Numbers = Annotated[tuple[int, ...], tyro.conf.arg(metavar="INT [INT ...]")]


@dataclasses.dataclass(frozen=True)
class Arguments:
    """Measure how fast jaxbox trains, and how fast others train the same networks on the same data.

    Every combination of model, scene, size and seeds is a case. Peers that are not installed are skipped and named.
    """

    models: Words = ()
    """Networks: linear, mlp, cnn, coordconv, soft_argmax; if none is named the first three, on other scenes cnn."""
    scenes: Words = (BOX,)
    """What is drawn. The other sides have the images of their training sets before they start."""
    sizes: Numbers = (16, 32, 64, 100)
    """Height and width of the images, in pixels."""
    seeds: Numbers = (1, 8, 64, 512)
    """How many members train."""
    peers: Words = tuple(name for name in SIDES if name != JAXBOX)
    """Which sides to compare with."""
    rounds: int = 5
    """Samples of each side, taken in turns."""
    seconds: float = 1.0
    """About how long a sample takes; never less than one step of all members that are measured."""
    quick: Flag = False
    """Few cases and rounds, under three minutes on two cores; sets models, sizes, seeds, peers, rounds and seconds."""
    out: Path = Path("runs/bench.json")
    """File for everything that was measured."""
    overwrite: Flag = False
    """Replace an existing file."""
    plot: Annotated[Path | None, tyro.conf.arg(metavar="FILE")] = None
    """Draw throughput against seeds into this .pdf, .png or .svg file."""

    def kinds(self) -> list[tuple[str, str, int]]:
        """Each combination of model, scene and size, once."""
        pairs = [(model, scene) for scene in self.scenes for model in self.models or DEFAULT_MODELS[scene == BOX]]
        return [(*pair, size) for pair in dict.fromkeys(pairs) for size in sorted(set(self.sizes))]


DEFAULT_MODELS = (("cnn",), ("linear", "mlp", "cnn"))
"""On other scenes, and on the box."""


QUICK: dict[str, Any] = {
    "models": ("linear", "cnn"),
    "sizes": (32,),
    "seeds": (64,),
    # One of these does other work (shared batches), and the other is never the fastest.
    "peers": tuple(name for name in SIDES if name not in (JAXBOX, "jaxbox-shared", "jax-loop")),
    "rounds": 3,
    "seconds": 0.3,
}


def parse(words: Sequence[str]) -> Arguments:
    """Read a command line and refuse what cannot be measured.

    Raises:
        ConfigurationError: an unknown option or name, a value out of range.
        RunError: a file that cannot be written.
        SystemExit: after printing the help.
    """
    start = dataclasses.replace(Arguments(), **QUICK if "--quick" in words else {})
    arguments = command_line.read(start, words, "python -m jaxbox.bench")
    for field in ("scenes", "sizes", "seeds", "peers"):
        config.require(bool(getattr(arguments, field)), field, "nothing", "one or more")
    for field, known in (("models", NETWORKS), ("scenes", tables.SCENES), ("peers", SIDES)):
        for name in getattr(arguments, field):
            config.look_up(dict.fromkeys(known), name, field)
    for field in ("sizes", "seeds", "rounds"):
        value = getattr(arguments, field)
        smallest = value if isinstance(value, int) else min(value)
        config.require(smallest >= 1, field, smallest, "at least 1")
    config.require(0 < arguments.seconds < float("inf"), "seconds", arguments.seconds, "greater than 0 and finite")
    if arguments.plot and arguments.plot.suffix not in SUFFIXES:
        raise ConfigurationError(f"plot: {arguments.plot} must end in {', '.join(SUFFIXES)}")
    for path in filter(None, (arguments.out, arguments.plot)):
        _check_file(path, arguments.overwrite)
    return arguments


def _check_file(path: Path, overwrite: bool) -> None:
    """Refuse a file that is there or that cannot be written, before hours of measuring; makes its folder."""
    if path.exists() and not overwrite:
        raise RunError(f"{path} exists; --overwrite replaces it")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path.parent):
            pass
    except OSError as error:
        raise RunError(f"{path} cannot be written: {error.strerror}") from None
    if path.is_dir():
        raise RunError(f"{path} is a folder")
