"""Event files of TensorBoard: a folder a member, an event an evaluation, and a row of its table of hyperparameters."""

import shlex
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from jaxbox.export.trackers import Add, Member, Tracker, missing


@contextmanager
def _opened(folder: Path) -> Iterator[Add]:
    try:
        from tensorboardX import FileWriter
        from tensorboardX.proto.summary_pb2 import Summary  # pyright: ignore[reportAttributeAccessIssue]
        from tensorboardX.summary import hparams
    except ModuleNotFoundError:
        raise missing("tensorboard", "tensorboardX") from None

    # SummaryWriter.add_scalar would log a line for every infinite number.
    def scalars(values: dict[str, float]) -> Any:
        return Summary(value=[Summary.Value(tag=name, simple_value=number) for name, number in values.items()])

    def add(member: Member) -> None:
        with closing(FileWriter(str(folder / member.label / f"seed-{member.seed}"))) as writer:
            for step, values in member.curves.items():
                writer.add_summary(scalars(values), step)
            writer.add_summary(scalars(member.finals), max(member.curves))
            for summary in hparams(member.fields | {"seed": member.seed}, member.finals):
                writer.add_summary(summary)

    yield add


TENSORBOARD = Tracker(
    _opened, "[0-9]*", lambda path: f"look at it: tensorboard --logdir {shlex.quote(str(path.parent))}"
)
