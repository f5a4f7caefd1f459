"""The loop over the chunks of a run: one worker trains all of them, or those of its part."""

from jaxbox.config import ConfigurationError, RunError, with_type
from jaxbox.sweep.part import Part
from jaxbox.sweep.worker import Worker

TRIES = 3
"""How often a chunk is tried whose training raises an error; then the others go on without it."""


def train(worker: Worker, part: Part) -> None:
    """Train the part's chunks of every group, to the end or to a stop. What comes of it is in the checkpoints.

    Raises:
        RunError: a checkpoint is damaged or cannot be written, or this process would give other bits.
    """
    for group in range(len(worker.groups)):
        if worker.stop.requested:  # nobody who has asked for a stop waits for the next program
            return
        for place, cut in enumerate(worker.cut(group)):
            if worker.stop.requested:
                return
            if part.has(group, place):
                _attempt(worker, group, place, part)
            else:
                worker.report.leave(len(cut.members) * worker.groups[group].static.configuration.steps)


def _attempt(worker: Worker, group: int, place: int, part: Part) -> None:
    """Train a chunk; give it up, and say so, after TRIES errors that are not those of a disk or of a person."""
    for attempt in range(1, TRIES + 1):
        chunk = worker.chunk(group, place)
        if not chunk.finished:
            worker.foresee(range(group + 1, len(worker.groups)), part.has)
        try:
            worker.train(group, chunk)
            return
        except (RunError, ConfigurationError):
            raise
        except Exception as error:
            found = with_type(error)
            worker.report.say(f"group {group + 1}, chunk {place} failed, try {attempt} of {TRIES}: {found}")
            if attempt == TRIES:
                worker.session.fail(group, place, chunk.steps[-1], found)
