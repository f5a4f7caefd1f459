"""Runs of `figure_runs`, what the page says of them, and one report that is written as a user has it."""

from functools import cache

import figure_runs
import pytest

from analysis.report import __main__ as command
from analysis.report import content, gather


@pytest.fixture(scope="session")
def tiny_run(tmp_path_factory):
    """A function from a name of `figure_runs.RUNS` or `figure_runs.PARTS` to that run's folder."""
    folder = tmp_path_factory.mktemp("runs")
    return lambda name: figure_runs.make(name, folder)


@pytest.fixture(scope="session")
def gathered(tiny_run):
    """The same, to what the page is made from."""
    return cache(lambda name: gather.gather(tiny_run(name)))


@pytest.fixture(scope="session")
def page(gathered):
    """The same, to the page's content without figures, which take a second each."""
    return cache(lambda name: content.content(gathered(name), [], []))


@pytest.fixture(scope="session")
def report(tiny_run, tmp_path_factory):
    """The folder of a whole report of the run `mixed`."""
    folder = tmp_path_factory.mktemp("report")
    command.write(tiny_run("mixed"), folder)
    return folder
