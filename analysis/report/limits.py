"""What cannot be said from a run, so that nobody reads it into the numbers."""

import numpy as np

from analysis.report.gather import Gathered
from analysis.report.values import Words, count, listed

FEW_SEEDS = 10
"""Under so many the percentile bootstrap is too narrow."""


def limits(run: Gathered) -> list[Words]:
    """A sentence a reason."""
    found = [*_unfinished(run), *_seeds(run), *_choice(run), *_tasks(run)]
    closing = "Intervals are over seeds. How other sizes, rates, steps or networks would do is not in them."
    return [*found, (closing,)]


def _unfinished(run: Gathered) -> list[Words]:
    if run.finished.all():
        return []
    here: Words = (
        "The run is not finished: of ",
        count(run.begun.size, "configuration.json", "members planned"),
        " members ",
    )
    here += (count(run.begun.sum(), "last_step", "members begun"), " have begun and ")
    here += (count(run.finished.sum(), "last_step", "members finished"), " are at their end. ")
    return [(*here, "What is said here is of those that have begun, where they are now.")]


def _seeds(run: Gathered) -> list[Words]:
    seeds, found = int(run.begun.sum(1).max(initial=0)), []
    if seeds == 1:
        found.append(("There is one seed: a mean of it has no interval, and rates are hardly known.",))
    elif seeds < FEW_SEEDS:
        found.append((f"There are under {FEW_SEEDS} seeds: bootstrap intervals of medians and means are too narrow.",))
    left = run.rest.sum(1)
    few = np.flatnonzero((left > 0) & (left < FEW_SEEDS))
    if seeds >= FEW_SEEDS and len(few):
        names = listed([run.names[row] for row in few])
        found.append(
            (f"Of {names} under {FEW_SEEDS} seeds did not collapse: the intervals of their R2 are too narrow.",)
        )
    shared = np.flatnonzero(~run.results["replicates"].values) if "replicates" in run.results else []
    if len(shared):
        which = "all configurations" if len(shared) == len(run.names) else listed([run.names[row] for row in shared])
        found.append((f"Batches are shared in {which}: seeds differ in initial weights only and are no replicates of "
                      "the whole experiment; intervals leave out what another training set would do.",))  # fmt: skip
    return found


def _choice(run: Gathered) -> list[Words]:
    if len(run.names) == 1:
        return [("There is one configuration: none can be preferred, and no cause of a collapse told apart.",)]
    if len(run.same_task()) > 1:
        return [("Configurations of different tasks are not ranked: an R2 of one is no R2 of the other.",)]
    return []


def _tasks(run: Gathered) -> list[Words]:
    found: list[Words] = []
    unknown = np.isnan(run.r2_lmmse) | np.isnan(run.r2_bayes) | np.isnan(run.compared["entropy"].values).any(-1)
    if unknown.any():
        names = listed([run.names[row] for row in np.flatnonzero(unknown)])
        found.append((f"For {names} some closed form is not known: no distance to some optimum, or no bound on the "
                      "information, is given.",))  # fmt: skip
    if (run.r2_lmmse_error > 0).any():
        names = listed([run.names[row] for row in np.flatnonzero(run.r2_lmmse_error > 0)])
        found.append((f"For {names} the best linear predictor is estimated, by one that was fitted on images made for "
                      "that: the interval is that of its R2, which is, if anything, too low.",))  # fmt: skip
    if run.noisy:
        found.append(("Under noise every member is scored on one and the same noisy image of each position. The error "
                      "that this makes (mse_error in members.csv) is common to all, and in no interval over seeds. "
                      "I(Y;Ŷ) and the best possible predictor are estimates there.",))  # fmt: skip
    return found
