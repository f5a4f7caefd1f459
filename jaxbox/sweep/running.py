"""One session of one process with a run: trains its part, publishes and gathers the results if that is its task."""

from jaxbox import store
from jaxbox.store import bits, chunks
from jaxbox.sweep import loop
from jaxbox.sweep.preparing import Execution, Prepared
from jaxbox.sweep.progress import Report
from jaxbox.sweep.publishing import Publisher
from jaxbox.sweep.signals import stop_on_signal
from jaxbox.sweep.worker import Settings, Worker
from jaxbox.training import cache, devices


def train(prepared: Prepared, execution: Execution) -> None:
    """Train to the end or to a stop. Whoever has part 0 holds the run, and writes its manifest and its results.

    Raises:
        RunError: a checkpoint is damaged, something cannot be written, or the run would get other last bits.
    """
    path, plan, part = prepared.path, prepared.plan, execution.part
    writes, local = part.index == 0, devices.local(execution.worker_devices)
    cache.keep_programs()
    manifest = store.Manifest(path, local)
    if writes:
        manifest.begin(store.hashes(plan), execution.members_per_chunk)
    session = store.Session(path, local, str(part) if part.count > 1 else "")

    def gather() -> None:
        store.gather(path, plan, store.load_manifest(path))

    if writes and prepared.grows:  # until then, who reads the run waits
        gather()
    publish = Publisher(gather, execution.checkpoint_seconds) if writes else _nothing
    seconds = None if execution.stop_after is None else 60 * execution.stop_after
    with Report(plan.seed_steps, execution.quiet) as report, stop_on_signal(report, seconds) as stop:
        if prepared.warning:
            report.say(prepared.warning)
        begun_with, now = manifest.content["begun_with"], bits.describe(local)
        if execution.other_bits and bits.difference(begun_with, now):
            report.say(f"{bits.difference(begun_with, now)}: last bits will differ")
            session.content["other_bits"], begun_with = now, {}
        # Groups that nobody has begun are cut as was asked for when the run was.
        size = execution.members_per_chunk or manifest.content.get("members_per_chunk")
        settings = Settings(size, execution.checkpoint_seconds)
        worker = Worker(path, plan, local, settings, session, stop, report, begun_with, publish)
        loop.train(worker, part)
    session.end(stop.by)
    if writes:
        gather()
        manifest.finish(_status(prepared, stop.by), stop.by)


def _nothing() -> None:
    pass


def _status(prepared: Prepared, stopped_by: str) -> str:
    if stopped_by:
        return "interrupted"
    left = chunks.unfinished(prepared.path, prepared.plan)
    failed = {(each["group"], each["chunk"]) for each in store.failures(prepared.path)}
    return "complete" if not left else "failed" if left <= failed else "running"
