"""Runs of Weights & Biases, one a member, offline unless the user's own WANDB_MODE says otherwise."""

import os
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from jaxbox.config import RunError, one_line, require
from jaxbox.export.trackers import Add, Member, Tracker, missing

UNKNOWN = ("disable_code", "disable_git", "x_disable_stats", "x_disable_meta", "x_disable_machine_info")
"""What it would say of this process and its machine, which are not those that trained the member."""


@contextmanager
def _opened(folder: Path) -> Iterator[Add]:
    mode = _mode()
    # Else it reports its own errors and use to its makers, wherever its runs stay.
    os.environ.setdefault("WANDB_ERROR_REPORTING", "false")
    try:
        import wandb
    except ModuleNotFoundError:
        raise missing("wandb", "wandb") from None
    settings = wandb.Settings(
        silent=True, console="off", symlink=False, x_save_requirements=False, **dict.fromkeys(UNKNOWN, True)
    )

    def add(member: Member) -> None:
        with wandb.init(
            dir=folder,
            mode=mode,
            project=os.environ.get("WANDB_PROJECT", member.run),
            group=member.label,
            name=f"{member.label} seed-{member.seed}",
            config=member.fields | {"seed": member.seed},
            settings=settings,
        ) as run:
            for step, values in member.curves.items():
                run.log(values, step=step)
            run.summary.update(member.finals)

    try:
        yield add
    except wandb.Error as error:
        raise RunError(f"to: wandb says: {one_line(error)}") from error
    for entry in (folder / "wandb").iterdir():
        entry.rename(folder / entry.name)
    (folder / "wandb").rmdir()


def _mode() -> Any:
    mode = os.environ.get("WANDB_MODE", "offline")
    require(mode in ("offline", "online"), "WANDB_MODE", mode, "offline or online")
    return mode


def _closing(path: Path) -> str:
    return f"send it: wandb sync {shlex.quote(str(path))}/offline-run-*" if _mode() == "offline" else ""


WANDB = Tracker(_opened, "*run-*", _closing)
