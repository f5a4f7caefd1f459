"""The runs of `figure_runs`, each made once, when the first test asks for it."""

import figure_runs
import pytest


@pytest.fixture(scope="session")
def tiny_run(tmp_path_factory):
    """A function from a name of `figure_runs.RUNS` or `figure_runs.PARTS` to that run's folder."""
    folder = tmp_path_factory.mktemp("runs")
    return lambda name: figure_runs.make(name, folder)
