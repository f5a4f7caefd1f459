"""The command line of what is exact: how well can a box task be solved, linearly and at all?

    python -m analysis.exact --height 32 --width 32 --box-size 5 --noise white --noise-level 1

prints one table with a row for x and one for y: R2 = 1 - MSE / variance of the ramp, of the minimum-norm weights and of
the LMMSE weights (closed forms, `analysis.linear`), of the Bayes-optimal predictor (`analysis.bayes`), and, for x and y
together, I(Y;X) and H(Y) in nats. What is estimated by Monte Carlo carries its standard error; without noise the Bayes
predictor is perfect and I = H. The example takes a few seconds; time grows as samples x pixels.
A coordinate with a single position is constant and has no R2.
"""

import dataclasses
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import tyro

from jaxbox import command_line
from jaxbox.config import ConfigurationError, Task

# The rest is imported late: JAX and scikit-learn take seconds, and --help should answer at once.
if TYPE_CHECKING:
    from rich.table import Table

    from analysis.bayes import Estimate


@dataclasses.dataclass(frozen=True)
class Arguments:
    """Print what the best linear and the best possible predictor reach on a box task, exactly."""

    task: Annotated[Task, tyro.conf.arg(name="")] = dataclasses.field(default_factory=Task)
    samples: int = 10_000
    """Images of the Monte Carlo estimates, at least 2."""
    seed: int = 0
    """Seed of the Monte Carlo estimates."""


def summary(arguments: Arguments) -> "Table":
    """The table of one task. The Monte Carlo part costs O(samples H W C).

    Raises:
        ConfigurationError: a task that cannot be run or has no closed form, or fewer than 2 samples.
    """
    from rich.table import Table

    from analysis import closed_forms, information, linear, moments

    task = arguments.task
    for form in closed_forms.ALL:
        closed_forms.require(task, form)
    if arguments.samples < 2:
        raise ConfigurationError(f"samples: {arguments.samples} is not allowed; it must be at least 2")
    variance = moments.target_variance(task)
    errors = [predictor(task).mse for predictor in (linear.ramp, linear.minimum_norm, linear.lmmse)]
    mmse, learned = _bayes(arguments)
    table = Table("", "ramp R2", "minimum norm R2", "LMMSE R2", "Bayes R2", "I(Y;X)", "H(Y)", title=_describe(task))
    for axis, name in enumerate("xy"):
        cells = [_r2(mse[axis], 0.0, variance[axis]) for mse in errors]
        cells += [_r2(mmse.value[axis], mmse.standard_error[axis], variance[axis])]
        cells += [_number(*map(float, learned)), _number(information.entropy(task))] if axis == 0 else []
        table.add_row(name, *cells)
    return table


def main(words: Sequence[str] | None = None) -> int:
    """Print the table; returns the exit code: 2, after one line that says why, for bad input."""
    words = sys.argv[1:] if words is None else words
    try:
        table = summary(command_line.read(Arguments(), words, "python -m analysis.exact"))
    except ConfigurationError as error:
        print(f"analysis.exact: {error}", file=sys.stderr)
        return 2
    from rich.console import Console

    console = Console()
    # A pipe or a file has no width to respect: nothing is cut there.
    Console(width=console.width if console.is_terminal else 120).print(table)
    return 0


def _bayes(arguments: Arguments) -> "tuple[Estimate, Estimate]":
    """The MMSE of (x, y), and I(Y;X)."""
    import jax
    import numpy as np

    from analysis import bayes, information, moments

    task = arguments.task
    if moments.channel(task).variance == 0:
        perfect, everything = np.zeros(2), np.array(information.entropy(task))
        return bayes.Estimate(perfect, np.zeros(2)), bayes.Estimate(everything, np.array(0.0))
    keys = jax.random.split(jax.random.key(arguments.seed))
    return bayes.mmse(task, keys[0], arguments.samples), bayes.information(task, keys[1], arguments.samples)


def _describe(task: Task) -> str:
    from analysis import closed_forms

    noise = "no noise" if task.noise == "none" else f"{task.noise} noise of level {task.noise_level:g}"
    sides = ("left", "right", "top", "bottom")
    margins = [f"{side} {margin}" for side in sides if (margin := getattr(task, f"margin_{side}"))]
    parts = [f"{task.height} x {task.width}", f"box {closed_forms.box_side(task)}", noise, f"{task.inputs} inputs"]
    parts += [f"{task.channels} channels"] if task.channels > 1 else []
    return ", ".join([*parts, *(["margins " + " ".join(margins)] if margins else [])])


def _r2(mse: float, standard_error: float, variance: float) -> str:
    return _number(1 - mse / variance, standard_error / variance) if variance else "constant"


def _number(value: float, standard_error: float = 0.0) -> str:
    return f"{value:.4f} ± {standard_error:.2g}" if standard_error else f"{value:.4f}"


if __name__ == "__main__":
    sys.exit(main())
