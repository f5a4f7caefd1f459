"""What the page says of the runs of `figure_runs`, and one report that is written as a user has it."""

from functools import cache

import pytest
from pages import REPORTED

from analysis.figures import FIGURES
from analysis.report import __main__ as command
from analysis.report import content, gather, pictures


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
    """The folder of a report of the run `mixed`, with the figures of REPORTED."""
    folder = tmp_path_factory.mktemp("report")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pictures, "FIGURES", {name: FIGURES[name] for name in REPORTED})
        command.write(tiny_run("mixed"), folder)
    return folder


@pytest.fixture
def few_figures(monkeypatch):
    """Of all figures two, of which most runs can fill one: each takes a second."""
    monkeypatch.setattr(pictures, "FIGURES", {name: FIGURES[name] for name in ("predictions", "noise")})
