"""A run's folder: what was asked, what came out, and the checkpoints to go on from.

    configuration.json   the configurations, the seeds, the fingerprint
    manifest.json        versions, devices, git revision, command line, chunk sizes, times
    checkpoints/         group-G/chunk-C/STEP: state and measures so far of a chunk of members (orbax)
    results.zarr         the labelled results, written when the run ends or is interrupted

Everything is written aside and renamed, so a kill at any moment leaves the previous version whole.
"""

import fcntl
import json
import shutil
from functools import partial
from pathlib import Path
from typing import IO, Any

import jax
import numpy as np
import orbax.checkpoint as ocp
import xarray
from jaxtyping import PyTree

from jaxbox import config, member, results
from jaxbox.config import Plan, RunError

CONFIGURATION, MANIFEST, RESULTS = "configuration.json", "manifest.json", "results.zarr"


def create(path: Path, plan: Plan, overwrite: bool = False) -> None:
    """Make an empty run folder.

    Raises:
        RunError: the folder exists (and, with `overwrite`, is not a run), or cannot be written.
    """
    if path.exists():
        if not overwrite:
            raise RunError(f"run: {path} exists; give --resume {path} to go on with it, --overwrite, or another --name")
        if any(path.iterdir()) if path.is_dir() else True:
            load_plan(path)
            lock(path).close()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        aside = path.with_name(f".{path.name}.aside")
        shutil.rmtree(aside, ignore_errors=True)
        aside.mkdir()
        values = [config.to_dict(configuration) for configuration in plan.configurations]
        content = {"fingerprint": plan.fingerprint, "seeds": plan.seeds, "configurations": values}
        _write_json(aside / CONFIGURATION, content)
        discard(path)
        aside.rename(path)
    except OSError as error:
        raise RunError(f"run: {path} cannot be written: {error.strerror}") from None


def load_plan(path: Path) -> Plan:
    """What the run at `path` computes.

    Raises:
        RunError: `path` is not a run folder, or its configuration is damaged.
    """
    if not path.is_dir():
        raise RunError(f"run: {path} is not a folder")
    try:
        content = json.loads((path / CONFIGURATION).read_text())
        configurations = tuple(config.from_dict(values) for values in content["configurations"])
        # Of the file's own content: fields that were added since have no part in it.
        intact = content["fingerprint"] == config.fingerprint(content["configurations"], content["seeds"])
    except FileNotFoundError:
        raise RunError(f"run: {path} is not a run: it has no {CONFIGURATION}") from None
    except (ValueError, KeyError, TypeError) as error:
        raise RunError(f"run: {path / CONFIGURATION} is damaged: {error}") from None
    if not intact:
        raise RunError(f"run: {path / CONFIGURATION} was edited: its fingerprint does not match its content")
    return Plan(configurations, content["seeds"])


def load_manifest(path: Path) -> dict[str, Any]:
    """The run's manifest, empty before the first is written.

    Raises:
        RunError: it is damaged, or missing though there are checkpoints.
    """
    file = path / MANIFEST
    if not file.exists():
        if (path / "checkpoints").exists():
            raise RunError(f"run: {file} is missing: nobody knows any more which members the checkpoints hold")
        return {}
    try:
        return json.loads(file.read_text())
    except ValueError as error:
        raise RunError(f"run: {file} is damaged: {error}") from None


def check_complete(path: Path, plan: Plan) -> None:
    """Raises RunError if a run that was complete has lost a checkpoint, so that it is not trained again."""
    manifest = load_manifest(path)
    for number, group in enumerate(manifest.get("groups", []) if manifest.get("status") == "complete" else []):
        chunks = -(-len(group["configurations"]) * plan.seeds // group["members_per_chunk"])
        for chunk in range(chunks):
            folder = checkpoint_folder(path, number) / f"chunk-{chunk:05d}"
            if last_checkpoint(folder) is None:
                raise RunError(
                    f"run: {folder} has lost its checkpoint; the run was complete, and its results still are"
                )


def save_manifest(path: Path, manifest: dict[str, Any]) -> None:
    """Replace the run's manifest."""
    _write_json(path / MANIFEST, manifest)


def lock(path: Path) -> IO[str]:
    """Hold the run for this process until the returned file is closed.

    Raises:
        RunError: another process holds it.
    """
    file = open(path / ".lock", "w")  # noqa: SIM115 - the caller keeps it open
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        raise RunError(f"run: {path} is in use by another process") from None
    return file


def _write_json(file: Path, content: Any) -> None:
    aside = file.with_suffix(".aside")
    aside.write_text(json.dumps(content, indent=1) + "\n")
    aside.replace(file)


def discard(path: Path) -> None:
    """Remove a folder; renamed first, so that half of it is never taken for the whole."""
    if path.exists():
        aside = path.with_name(f".{path.name}.discarded")
        shutil.rmtree(aside, ignore_errors=True)
        path.rename(aside)
        shutil.rmtree(aside)


def checkpoint_folder(path: Path, group: int) -> Path:
    """Where the checkpoints of a group lie: chunk-C/STEP."""
    return path.absolute() / "checkpoints" / f"group-{group:03d}"


def last_checkpoint(folder: Path) -> int | None:
    """The step of the last whole checkpoint in a chunk's folder."""
    steps = [int(entry.name) for entry in folder.iterdir() if entry.name.isdigit()] if folder.is_dir() else []
    return max(steps, default=None)


def save_checkpoint(folder: Path, step: int, tree: PyTree[np.ndarray]) -> None:
    """Write a checkpoint and then drop the ones before it."""
    discard(folder / str(step))
    with ocp.PyTreeCheckpointer() as checkpointer:
        checkpointer.save(folder / str(step), tree)
    for entry in folder.iterdir():
        if entry.name != str(step):
            shutil.rmtree(entry, ignore_errors=True)


def load_checkpoint(folder: Path, step: int, like: PyTree[Any]) -> PyTree[np.ndarray]:
    """A checkpoint with the structure of `like`, as NumPy arrays of the shapes that were saved.

    Raises:
        RunError: it is damaged or of another structure.
    """
    restore_args = jax.tree.map(lambda _: ocp.RestoreArgs(restore_type=np.ndarray), like)
    try:
        with ocp.PyTreeCheckpointer() as checkpointer:
            return checkpointer.restore(folder / str(step), item=like, restore_args=restore_args)
    except (OSError, ValueError, KeyError) as error:
        reason = str(error).splitlines()[0]
        raise RunError(f"run: the checkpoint {folder / str(step)} is damaged: {reason}") from None


def save_results(path: Path, dataset: xarray.Dataset) -> None:
    """Replace the run's results."""
    aside = path / (RESULTS + ".aside")
    shutil.rmtree(aside, ignore_errors=True)
    dataset.to_zarr(aside, mode="w", zarr_format=2, consolidated=True)
    discard(path / RESULTS)
    aside.rename(path / RESULTS)


def open_run(path: str | Path) -> xarray.Dataset:
    """The results of a run, loaded lazily; see runs/README.md for its dimensions and variables.

    Raises:
        RunError: not a run, or a run without results yet.
    """
    path = Path(path)
    load_plan(path)
    if not (path / RESULTS).is_dir():
        raise RunError(f"run: {path} has no results yet; go on with it: python -m jaxbox.sweep --resume {path}")
    try:
        return xarray.open_zarr(path / RESULTS, chunks=None)
    except (OSError, ValueError, KeyError) as error:
        raise RunError(f"run: {path / RESULTS} is damaged: {error}") from None


def member_location(plan: Plan, manifest: dict[str, Any], configuration: int, seed: int) -> tuple[int, int, int]:
    """(group, chunk, place in the chunk) of a member.

    Raises:
        RunError: there is no such configuration or seed.
    """
    for name, value, count in (
        ("configuration", configuration, len(plan.configurations)),
        ("seed", seed, plan.seeds),
    ):
        if not 0 <= value < count:
            raise RunError(f"{name}: {value} is not in this run; allowed: 0 to {count - 1}")
    for number, group in enumerate(manifest.get("groups", [])):
        if configuration in group["configurations"]:
            place = group["configurations"].index(configuration) * plan.seeds + seed
            chunk, row = divmod(place, group["members_per_chunk"])
            return number, chunk, row
    raise RunError(f"configuration: {configuration} has not started training")


def load_params(run: str | Path, configuration: int, seed: int) -> PyTree[np.ndarray]:
    """The parameters of one member at its last checkpoint; `jaxbox.member.merge` makes a network of them.

    Args:
        run: the run's folder.
        configuration: its index, the `configuration` coordinate of the results.
        seed: its seed.

    Raises:
        RunError: not a run, no such member, or no checkpoint of it yet.
    """
    path = Path(run)
    plan = load_plan(path)
    group, chunk, place = member_location(plan, load_manifest(path), configuration, seed)
    folder = checkpoint_folder(path, group) / f"chunk-{chunk:05d}"
    step = last_checkpoint(folder)
    if step is None:
        raise RunError(f"seed: {seed} of configuration {configuration} has no checkpoint yet")
    abstract = partial(member.initialize, plan.configurations[configuration])
    like = {
        "state": jax.eval_shape(abstract, np.uint32(seed)),
        "measures": results.like(plan.configurations[configuration]),
    }
    tree: Any = load_checkpoint(folder, step, like)
    return jax.tree.map(lambda leaf: leaf[place], tree["state"].params)
