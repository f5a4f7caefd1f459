"""Runs that share no member become one: chunks are linked or copied as they are, and results gathered anew.

So seeds that were trained on two machines that share no folder, or configurations of two sweeps, are one table.
"""

import contextlib
import dataclasses
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jaxbox import store
from jaxbox.config import Block, Configuration, ConfigurationError, Plan, RunError, require, stretches
from jaxbox.store import bits, chunks, cuts, files
from jaxbox.training import groups, strata


@dataclasses.dataclass(frozen=True)
class Source:
    """A run that is merged; `indices` are those of its configurations in the whole."""

    path: Path
    plan: Plan
    manifest: dict[str, Any]
    indices: tuple[int, ...]

    def blocks(self) -> list[Block]:
        """Its blocks, as blocks of the whole."""
        return [
            dataclasses.replace(block, configurations=tuple(self.indices[index] for index in block.configurations))
            for block in self.plan.blocks
        ]


Part = tuple[Source, dict[str, Any]]
"""A run, and how it has cut a group of the whole."""


def merge(runs: Sequence[str | Path], into: str | Path, other_bits: bool = False) -> Path:
    """Make one run of several, which stay as they are. It can be read, resumed and grown as any other.

    A chunk is a hard link where the file system has them, so that it takes no room twice.

    Args:
        runs: two or more, in this order; configurations that several have are one.
        into: the folder of the whole, which must not exist.
        other_bits: also where devices, processors, precision or versions differ, on which last bits depend; the
            manifest of the whole keeps those of each run.

    Returns:
        The folder.

    Raises:
        ConfigurationError: fewer than two runs, or a member that two of them have.
        RunError: no run, one that is in use, one of an older format, runs of other measures, bits or code, of which one
            drops members and another does not, or a folder that exists or cannot be written.
    """
    require(len(runs) > 1, "runs", len(runs), "two or more")
    for place, run in enumerate(runs):
        if Path(run).resolve() in [Path(other).resolve() for other in runs[:place]]:
            raise ConfigurationError(f"runs: {run} is given twice")
    path = Path(into)
    if path.exists():
        raise RunError(f"run: {path} exists; give another --into")
    with contextlib.ExitStack() as held:
        for run in map(Path, runs):
            store.load_plan(run)
            held.enter_context(store.lock(run))
        whole, sources = _plan([Path(run) for run in runs])
        _require_alike(sources, other_bits)
        files.make_folder(path.absolute().parent)
        aside = path.with_name(files.own_name(path.name))
        try:
            _write(aside, whole, sources)
            if not files.put_folder(aside, path):
                raise RunError(f"run: {path} exists; give another --into")
        finally:
            shutil.rmtree(aside, ignore_errors=True)
    return path


def _plan(paths: Sequence[Path]) -> tuple[Plan, list[Source]]:
    """The plan of the whole, and the runs that it is of."""
    places: dict[Configuration, int] = {}
    configurations: dict[int, Configuration] = {}
    sources = []
    for path in paths:
        store.require_known(path)
        plan = store.load_plan(path)
        # Asking for all positions in other words is no difference; with code from outside, who knows?
        alike = plan.configurations if plan.outside() else tuple(map(strata.settled, plan.configurations))
        indices = tuple(places.setdefault(each, len(places)) for each in alike)
        configurations = dict(zip(indices, plan.configurations, strict=True)) | configurations
        sources.append(Source(path, plan, store.load_manifest(path), indices))
    blocks = [block for source in sources for block in source.blocks()]
    names = dict.fromkeys(source.plan.experiment for source in sources)
    own = tuple(configurations[index] for index in range(len(places)))
    whole = Plan(own, tuple(blocks), next(iter(names)) if len(names) == 1 else "")
    _refuse_overlap(whole, sources)
    return whole, sources


def _refuse_overlap(whole: Plan, sources: Sequence[Source]) -> None:
    for index in range(len(whole.configurations)):
        seen: list[range] = []
        for source in sources:
            own = source.plan.seeds_of(source.indices.index(index)) if index in source.indices else []
            if sum(map(len, stretches.difference(own, seen))) < sum(map(len, own)):
                raise ConfigurationError(
                    f"runs: {source.path} has members that a run before it has, too: of its configuration "
                    f"{source.indices.index(index)}, seeds {stretches.in_words(own)}; give runs of other seeds "
                    "(--first_seed) or configurations"
                )
            seen += own


def _require_alike(sources: Sequence[Source], other_bits: bool) -> None:
    first = sources[0].manifest
    for source in sources:
        path, manifest = source.path, source.manifest
        if "begun_with" not in manifest:
            raise RunError(f"run: {path} has not begun, or is of an older version: first, jaxbox.sweep --resume {path}")
        if manifest["measures"] != first["measures"]:
            raise RunError(f"run: {path} has other measures than {sources[0].path}")
        drops = [store.drop_of(each) for each in (manifest, first)]
        if drops[0] != drops[1]:
            raise RunError(f"run: {path} was begun with --drop {drops[0]}, {sources[0].path} with --drop {drops[1]}")
        for place, file in manifest.get("outside", {}).items():
            known = first.get("outside", {}).get(place, file)
            if known["sha256"] != file["sha256"]:
                raise RunError(f"run: {path} was made with another {place} than {sources[0].path}")
        found = bits.difference(first["begun_with"], manifest["begun_with"])
        if found and not other_bits:
            words = found.replace("here it", "the other")
            raise RunError(
                f"run: {path} is not as {sources[0].path}, which was {words}; last bits depend on it; "
                "give --other_bits to merge them all the same"
            )


def _write(aside: Path, whole: Plan, sources: Sequence[Source]) -> None:
    store.create(aside, whole)
    entries = []
    for number, group in enumerate(groups.group(whole)):
        indices = [index for index, _ in group.configurations]
        parts = [(source, cut) for source in sources for cut in _cuts(source, indices)]
        entries.append({name: sum(cut.get(name, 0.0) for _, cut in parts) for name in ("seconds", "compile_seconds")})
        if parts:
            _join(aside, whole, number, indices, sources, parts)
    manifest = {**_manifest(sources), "groups": entries, "status": "interrupted", "stopped_by": ""}
    store.save_manifest(aside, manifest)
    if not chunks.unfinished(aside, whole):
        store.save_manifest(aside, manifest | {"status": "complete"})
    store.gather(aside, whole, store.load_manifest(aside))


def _manifest(sources: Sequence[Source]) -> dict[str, Any]:
    """Of the whole: what all have in common, what each run was, and its sessions."""
    first = sources[0].manifest
    merged = [
        {
            "run": source.path.absolute().name,
            "begun_with": source.manifest["begun_with"],
            "revisions": sorted({str(each["git"] and each["git"]["revision"]) for each in source.manifest["sessions"]}),
        }
        for source in sources
    ]
    # Their times are in the groups of the whole.
    own = (session for source in sources for session in source.manifest["sessions"])
    sessions = [session | {"groups": {}, "failures": [], "ended": True} for session in own]
    outside = {place: file for source in sources for place, file in source.manifest.get("outside", {}).items()}
    kept = {name: first[name] for name in ("measures", "begun_with", "drop") if name in first} | {"outside": outside}
    return {**kept, "members_per_chunk": None, "merged": merged, "sessions": sessions}


def _cuts(source: Source, indices: Sequence[int]) -> list[dict[str, Any]]:
    """How a run has cut the group of the whole that has these configurations."""
    return [
        cut for cut in source.manifest["groups"] if any(source.indices[own] in indices for own in cut["configurations"])
    ]


def _join(
    aside: Path, whole: Plan, number: int, indices: Sequence[int], sources: Sequence[Source], parts: Sequence[Part]
) -> None:
    """Put the chunks of a group's parts one after the other, as the blocks of the whole are."""
    first = parts[0][1]
    sizes, starts, start = {}, {}, 0
    for source in sources:
        starts[source.path], count = start, len(source.plan.blocks)
        for own in (cut for each, cut in parts if each is source):
            sizes |= {start + block: cuts.size_of(own, block) for block in range(count)}
        start += count
    cut = cuts.pin(aside, number, indices, first["batches"], lambda: first["members_per_chunk"], sizes)
    joined = cuts.chunks(whole, cut)
    for source, own in parts:
        blocks = range(starts[source.path], starts[source.path] + len(source.plan.blocks))
        places = [place for place, chunk in enumerate(joined) if chunk.block in blocks]
        for chunk, place in enumerate(places):
            _link(store.chunk_folder(source.path, own["number"], chunk), store.chunk_folder(aside, number, place))


def _link(chunk: Path, place: Path) -> None:
    if (step := store.last_checkpoint(chunk)) is not None:
        shutil.copytree(chunk / str(step), place / str(step), copy_function=_link_file)


def _link_file(file: str, place: str) -> None:
    try:
        os.link(file, place)
    except OSError:  # another file system, or one without links
        shutil.copy2(file, place)
