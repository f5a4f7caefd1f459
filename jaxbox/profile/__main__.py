"""The command `python -m jaxbox.profile`: where the time of training one configuration goes.

python -m jaxbox.profile --task.height 64 --task.width 64 --task.noise white --task.noise_level 1
"""

import dataclasses
import sys
from collections.abc import Sequence
from typing import Annotated

import tyro

from jaxbox import command_line, config
from jaxbox.config import Configuration
from jaxbox.sweep import arguments as sweep_arguments


@dataclasses.dataclass(frozen=True)
class Arguments:
    """Say where the time of training a configuration goes: by layer, forward and backward, and by kind of operation.

    Some members train under JAX's profiler with the very program of a sweep. Nothing is written.
    """

    members: int = 2
    """How many train; by default two, and never fewer than devices."""
    seconds: float = 1.0
    """About how long they train."""
    configuration: Annotated[Configuration, tyro.conf.arg(name="")] = dataclasses.field(default_factory=Configuration)


def main(words: Sequence[str] | None = None) -> int:
    """The command line; returns the exit code: 2 for bad input, 130 after Ctrl-C."""
    words = sys.argv[1:] if words is None else words
    return command_line.exit_code("jaxbox.profile", lambda: _profile(words))


def _profile(words: Sequence[str]) -> int:
    default = Arguments(configuration=sweep_arguments.offered(words))
    arguments = command_line.read(default, words, "python -m jaxbox.profile", sweep_arguments.names_help())
    config.require(arguments.members >= 1, "members", arguments.members, "at least 1")
    config.require(0 < arguments.seconds <= 60, "seconds", arguments.seconds, "greater than 0 and at most 60")
    said = {path for path, _ in config.flatten(arguments.configuration)} & command_line.named(words)
    (configuration,) = config.distinct([arguments.configuration], said)
    config.check_values(configuration)

    from jaxbox.profile import recording, table
    from jaxbox.training import checks, devices

    devices.one_device_per_core()
    devices.float32_products()
    checks.check_program(configuration)
    found = recording.record(configuration, max(arguments.members, len(devices.local())), arguments.seconds)
    command_line.table_console().print(table.table(found))
    every = configuration.eval_every
    share = found.evaluation_seconds / (found.evaluation_seconds + every * found.step_seconds)
    print(
        f"without the profiler: {1000 * found.step_seconds:.3g} ms a step, {1000 * found.evaluation_seconds:.3g} ms an "
        f"evaluation, which is {100 * share:.1f}% of the time with one every {every} steps; products of 1024 x 1024: "
        f"{found.peak_flops / 1e9:.0f} GFLOP/s on one device"
    )
    return 0


if __name__ == "__main__":
    command_line.own_process(main)
