"""The command `python -m jaxbox.bench`: the speed of jaxbox side by side with other ways to do the same work.

Each side has a process of its own. Sides take turns, round after round, so that only one computes at a time and
whatever else the machine does meets them all; ratios are paired by round. Losses are compared first.
"""

import contextlib
import dataclasses
import itertools
import json
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Protocol

import tyro

from jaxbox import command_line, config
from jaxbox.config import ConfigurationError, RunError
from jaxbox.peers import JAXBOX, PEERS
from jaxbox.peers.problem import MODELS

# The rest is imported late: JAX takes seconds, and --help should answer at once.
if TYPE_CHECKING:
    from jaxbox.peers.cases import Cases

PATIENCE = 20
"""A side that has spent so many times the length of a sample sits out the other rounds."""
Flag = tyro.conf.FlagCreatePairsOff[bool]
Words = Annotated[tuple[str, ...], tyro.conf.arg(metavar="NAME [NAME ...]")]
Numbers = Annotated[tuple[int, ...], tyro.conf.arg(metavar="INT [INT ...]")]


@dataclasses.dataclass(frozen=True)
class Arguments:
    """Measure how fast jaxbox trains, and how fast others train the same networks on the same data.

    Every combination of model, size and seeds is a case. Peers that are not installed are skipped and named.
    """

    models: Words = MODELS
    """Networks."""
    sizes: Numbers = (16, 32, 64, 100)
    """Height and width of the images, in pixels."""
    seeds: Numbers = (1, 8, 64, 512)
    """How many members train."""
    peers: Words = tuple(name for name in PEERS if name != JAXBOX)
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


QUICK: dict[str, Any] = {
    "models": ("linear", "cnn"),
    "sizes": (32,),
    "seeds": (64,),
    # Neither other work nor what is never the fastest.
    "peers": tuple(name for name in PEERS if name not in (JAXBOX, "jaxbox-shared", "jax-loop")),
    "rounds": 3,
    "seconds": 0.3,
}


def parse(words: Sequence[str]) -> Arguments:
    """Read a command line and refuse what cannot be measured.

    Raises:
        ConfigurationError: an unknown option or name, a value out of range.
        RunError: a file that cannot be written.
    """
    start = dataclasses.replace(Arguments(), **QUICK if "--quick" in words else {})
    arguments = command_line.read(start, words, "python -m jaxbox.bench")
    for field in ("models", "sizes", "seeds", "peers"):
        _require(bool(getattr(arguments, field)), field, "nothing", "one or more")
    for field, table in (("models", MODELS), ("peers", PEERS)):
        for name in getattr(arguments, field):
            config.choose(dict.fromkeys(table), name, field)
    for field in ("sizes", "seeds", "rounds"):
        value = getattr(arguments, field)
        smallest = value if isinstance(value, int) else min(value)
        _require(smallest >= 1, field, smallest, "at least 1")
    _require(0 < arguments.seconds < float("inf"), "seconds", arguments.seconds, "greater than 0 and finite")
    _check_files(arguments)
    return arguments


def _require(condition: bool, field: str, value: Any, allowed: str) -> None:
    if not condition:
        raise ConfigurationError(f"{field}: {value} is not allowed; it must be {allowed}")


def _check_files(arguments: Arguments) -> None:
    from jaxbox.peers.plot import SUFFIXES

    if arguments.plot and arguments.plot.suffix not in SUFFIXES:
        raise ConfigurationError(f"plot: {arguments.plot} must end in {', '.join(SUFFIXES)}")
    for path in filter(None, (arguments.out, arguments.plot)):
        if path.exists() and not arguments.overwrite:
            raise RunError(f"{path} exists; --overwrite replaces it")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=path.parent):
                pass
        except OSError as error:
            raise RunError(f"{path} cannot be written: {error.strerror}") from None
        if path.is_dir():
            raise RunError(f"{path} is a folder")


class Sampled(Protocol):
    """What takes turns."""

    @property
    def spent(self) -> float: ...

    def sample(self) -> None: ...


def alternate(sides: Sequence[Sampled], rounds: int, budget: float) -> None:
    """Let the sides take turns. One that has spent its budget of seconds, after at least one sample, sits out."""
    for _ in range(rounds):
        for side in sides:
            if side.spent < budget:
                side.sample()


def run(arguments: Arguments, say: Callable[[str], None]) -> dict[str, Any]:
    """Measure every case and write the file, also of what there is when it is interrupted. Returns what it holds.

    Raises:
        LossError: a side does not do the same work.
        WorkerError: jaxbox itself failed.
    """
    import jax

    from jaxbox import member
    from jaxbox.peers import machine, problem
    from jaxbox.peers.cases import Cases

    # This process only makes the problems; an accelerator and its memory belong to the sides.
    jax.config.update("jax_platforms", "cpu")
    kinds = list(itertools.product(dict.fromkeys(arguments.models), sorted(set(arguments.sizes))))
    for kind in kinds:
        member.check(problem.configuration(*kind))
    names, skipped = choose(arguments.peers)
    for name, why in skipped.items():
        say(f"skipped {name}: {why}")
    settings = {field: getattr(arguments, field) for field in ("rounds", "seconds")}
    content = {**machine.describe(names), "settings": settings, "skipped": skipped, "complete": False}
    content |= {"sides": {name: PEERS[name].summary for name in names}, "product_flops": {}, "cases": []}
    try:
        for kind in kinds:
            with Cases(*kind, arguments.seeds, names, arguments.seconds, say) as cases:
                measure(cases, content, arguments)
        content["complete"] = True
    finally:
        if content["cases"]:
            save(content, arguments.out)
    return content


def choose(peers: Sequence[str]) -> tuple[list[str], dict[str, str]]:
    """(names of the sides that can be measured here, why each of the others cannot)."""
    on_gpu = shutil.which("nvidia-smi") is not None
    reasons = {name: PEERS[name].missing(on_gpu) for name in PEERS if name in (JAXBOX, *peers)}
    skipped = {name: reason for name, reason in reasons.items() if reason}
    return [name for name in reasons if name not in skipped], skipped


def measure(cases: "Cases", content: dict[str, Any], arguments: Arguments) -> None:
    """Add these cases to the content; what an interruption leaves of them, too."""
    content["devices"] = cases.turns[0].facts["devices"]
    content["product_flops"] = content["product_flops"] or cases.product_flops()
    try:
        alternate(cases.turns, arguments.rounds, PATIENCE * arguments.seconds)
    finally:
        content["cases"] += cases.records(max(content["product_flops"].values()))


def save(content: Mapping[str, Any], path: Path) -> None:
    """Write JSON at one stroke."""
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    unfinished.write_text(json.dumps(content, indent=1) + "\n")
    unfinished.replace(path)


def show(content: Mapping[str, Any]) -> None:
    """Print the table and what must be said beside it."""
    from rich.console import Console

    from jaxbox.peers import table

    console = Console()
    # A pipe or a file has no width to respect: nothing is cut there.
    console = console if console.is_terminal else Console(width=140)
    console.print(table.table(content["cases"]))
    for line in table.remarks(content):
        console.print(line, highlight=False, soft_wrap=True)


def main(words: Sequence[str] | None = None) -> int:
    """The command line; returns the exit code: 1 if a side fails its check, 2 for bad input, 130 when interrupted."""
    # A polite kill is an interruption too: workers end and what was measured is kept. Only the main thread can ask so.
    with contextlib.suppress(ValueError):
        signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        arguments = parse(sys.argv[1:] if words is None else words)
        return _main(arguments)
    except KeyboardInterrupt:
        print("jaxbox.bench: stopped", file=sys.stderr)
        return 130
    except (ConfigurationError, RunError) as error:
        print(f"jaxbox.bench: {error}", file=sys.stderr)
        return 2


def _main(arguments: Arguments) -> int:
    from jaxbox.peers.comparison import LossError
    from jaxbox.peers.process import WorkerError

    start = time.monotonic()

    def say(line: str) -> None:
        print(f"{time.monotonic() - start:6.0f} s  {line}", file=sys.stderr, flush=True)

    try:
        content = run(arguments, say)
    except (LossError, WorkerError) as error:
        print(f"jaxbox.bench: {error}", file=sys.stderr)
        return 1
    show(content)
    print(f"results: {arguments.out}")
    if arguments.plot:
        from jaxbox.peers import plot

        plot.draw(content["cases"], arguments.plot)
        print(f"picture: {arguments.plot}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
