"""How each group of a run is cut into chunks: said once, in group-G/cut.json, by the process that begins it first."""

import json
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from jaxbox.config import Plan, RunError
from jaxbox.store import files
from jaxbox.store.folder import CHECKPOINTS
from jaxbox.training import groups

CUT = "cut.json"


def group_folder(path: Path, group: int) -> Path:
    """Where the cut and the chunks of a group lie."""
    return path.absolute() / CHECKPOINTS / f"group-{group:03d}"


def pin(
    path: Path,
    group: int,
    configurations: Sequence[int],
    batches: str,
    members_per_chunk: Callable[[], int],
    sizes: Mapping[int, int] | None = None,
) -> dict[str, Any]:
    """How a group is cut: as was said before, else into chunks of `members_per_chunk`, for good.

    Of processes that begin a group at the same time one is heard.

    Args:
        configurations: of the group; those of a run that has grown are more than before.
        batches: images or windows.
        sizes: of the chunks of some blocks of the plan, where they differ.

    Raises:
        RunError: it cannot be written.
    """
    folder = group_folder(path, group)
    with files.writing(folder / CUT):
        files.make_folder(folder)
        content = load(path, group)
        if content is None:
            asked = {"configurations": list(configurations), "batches": batches}
            asked |= {"sizes": {str(block): size for block, size in sizes.items()}} if sizes else {}
            _say(folder, asked | {"members_per_chunk": members_per_chunk()})
            content = load(path, group)
            assert content is not None
        if content["configurations"] != list(configurations):
            # Whoever finds that the run has grown writes the same.
            content |= {"configurations": list(configurations)}
            files.write_json(folder / CUT, content)
    return content


def _say(folder: Path, content: Mapping[str, Any]) -> None:
    """Write the cut unless another process has."""
    aside = folder / files.own_name(CUT)
    files.write_json(aside, content)
    try:
        os.link(aside, folder / CUT)
    except FileExistsError:
        pass
    except OSError:  # a file system without links: the last one is heard, a moment later than the first
        if not (folder / CUT).exists():
            aside.replace(folder / CUT)
            return
    aside.unlink(missing_ok=True)


def load(path: Path, group: int) -> dict[str, Any] | None:
    """The cut of a group: its configurations, members per chunk, and whether batches are images or windows; None before
    it begins.

    Raises:
        RunError: it is damaged.
    """
    file = group_folder(path, group) / CUT
    try:
        return json.loads(file.read_text())
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise RunError(f"run: {file} is damaged: {error}") from None


def load_all(path: Path) -> list[dict[str, Any]]:
    """The cut of every group that has begun, each with its `number`."""
    numbers = sorted(int(each.parent.name[len("group-") :]) for each in (path / CHECKPOINTS).glob(f"group-*/{CUT}"))
    found = [(number, load(path, number)) for number in numbers]
    return [{"number": number, **content} for number, content in found if content is not None]


def size_of(cut: Mapping[str, Any], block: int) -> int:
    """How many members a chunk has of a block of the plan; blocks of runs that were merged may differ."""
    return cut.get("sizes", {}).get(str(block), cut["members_per_chunk"])


class CutChunk(NamedTuple):
    """A chunk of a group: the block of the plan that it is of, the most members that it could have, and those that it
    has, each (configuration, seed)."""

    block: int
    size: int
    members: list[tuple[int, int]]


def chunks(plan: Plan, cut: Mapping[str, Any]) -> list[CutChunk]:
    """The chunks of a group that is cut so; a block that is added to the plan adds chunks, and changes none."""
    found = []
    for number, block in enumerate(plan.blocks):
        size = size_of(cut, number)
        for members in groups.chunks(groups.within([block], cut["configurations"]), size):
            found.append(CutChunk(number, size, members))
    return found
