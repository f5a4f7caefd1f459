"""Makes the runs that claims rest on, one after the other; each goes on where it was stopped."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from analysis.claims import runs
from analysis.claims.runs import MOST_SEEDS, Job
from jaxbox import store, sweep
from jaxbox.config import Configuration

QUICK = 0.03
"""What a step of a dense network costs, in those of a convolutional one."""


def make(folder: Path, names: Sequence[str] = (), full: bool = False) -> bool:
    """Train what is missing of the claims' runs, or of those that are named, until each comparison is decided.

    Returns:
        Whether all of it was done; False after a signal.

    Raises:
        RunError: a run that cannot be gone on with.
    """
    jobs = runs.jobs(names, full)
    begun, spent, paid = time.monotonic(), 0.0, 0.0
    left = sum(map(cost, jobs))
    for number, job in enumerate(jobs, 1):
        about = f", about {timedelta(seconds=round(spent / paid * left))} left" if paid else ""
        _say(f"run {number} of {len(jobs)}, {job.name}: {len(job.placed)} comparisons{about}")
        start, members = time.monotonic(), _members(folder, job)
        if not _make(folder, job):
            return False
        left -= cost(job)
        if _members(folder, job) > members:  # what was done before says nothing of the time that the rest takes
            spent, paid = spent + time.monotonic() - start, paid + cost(job)
    _say(f"done in {timedelta(seconds=round(time.monotonic() - begun))}")
    return True


def _members(folder: Path, job: Job) -> int:
    path = runs.path_of(folder, job)
    return store.load_plan(path).member_count if path.exists() else 0


def cost(job: Job) -> float:
    """Of a seed of everything that it compares, about, in steps of the question's network at 16 x 16."""
    return sum(_cost(each) for each in job.configurations())


def _cost(configuration: Configuration) -> float:
    task = configuration.task
    if configuration.model.name in ("linear", "mlp"):
        return QUICK * configuration.steps
    # Windows make the cost of a noiseless box independent of the image's size from 32 x 32 on.
    return configuration.steps * (min(task.height * task.width, 1024) / 256) * (1 if task.noise == "none" else 2)


def _make(folder: Path, job: Job) -> bool:
    path = runs.path_of(folder, job)
    if path.exists():
        sweep.run(resume=path, added=job.configurations(), until=job, max_seeds=MOST_SEEDS)
    else:
        # Verdicts rest on measures; the networks of all claims would take 12 GB.
        options = {"until": job, "max_seeds": MOST_SEEDS, "keep": "measures", "experiment": "claims"}
        sweep.run(job.configurations(), name=job.name, out=folder, **options)
    return store.load_manifest(path)["status"] in ("complete", "failed")


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
