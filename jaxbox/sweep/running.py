"""One session of one process with a run: trains its part, publishes and gathers the results if that is its task."""

from jaxbox import store
from jaxbox.store import chunks
from jaxbox.sweep import signals
from jaxbox.sweep.engines import Engine, Work
from jaxbox.sweep.preparing import Execution, Prepared
from jaxbox.sweep.progress import Report
from jaxbox.sweep.publishing import Publisher


def train(prepared: Prepared, execution: Execution, engine: Engine) -> None:
    """Train to the end or to a stop. Whoever has part 0 holds the run, and writes its manifest and its results.

    Raises:
        RunError: a checkpoint is damaged, something cannot be written, or the run would get other last bits.
    """
    path, plan, part = prepared.path, prepared.plan, execution.part
    writes = part.index == 0
    manifest = store.Manifest(path, engine.describe())
    if writes:
        manifest.begin(store.hashes(plan), execution.members_per_chunk, execution.keep, execution.until)
    session = store.Session(path, engine.devices(), str(part) if part.count > 1 else "")

    def gather() -> None:
        store.gather(path, plan, store.load_manifest(path))

    if writes and prepared.grows:  # until then, who reads the run waits
        gather()
    publish = Publisher(gather, execution.checkpoint_seconds) if writes else _nothing
    seconds = None if execution.stop_after is None else 60 * execution.stop_after
    with Report(plan.seed_steps, execution.quiet) as report, signals.stop_on_signal(report, seconds) as stop:
        if prepared.warning:
            report.say(prepared.warning)
        engine.train(Work(path, plan, session, stop, report, manifest.content["begun_with"], publish))
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
