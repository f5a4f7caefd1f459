"""Runs that lack something: the page says so, and says the rest."""

import dataclasses

import pytest
from figure_runs import UNKNOWN
from pages import Page

from analysis.report import content, limits, rendering
from analysis.report.values import FEW, plain

ALL = ("mixed", "noisy", "interrupted", "many", "rates", "one", "diverged", "single")


def said(page):
    return " ".join(
        plain(words) for part in ("collapse", "distance", "preferred", "limits") for words in getattr(page, part)
    )


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.slow] if name in ("many", "rates") else []) for name in ALL]
)
def test_every_run_has_a_page(page, name):
    text = rendering.html(page(name))
    assert Page(text).texts["h1"] == name
    assert "nan" not in said(page(name)).split()
    assert rendering.markdown(page(name)).startswith(f"# {name}\n")
    for frame in page(name).csv().values():
        assert frame.to_csv(index=False)


def test_an_interrupted_run_says_how_many_members_are_there(page):
    assert (
        page("interrupted").members
        == "Not finished: 2 configurations × 4 seeds; of 8 members 4 have begun and 0 are at their end"
    )
    assert "of 8 members 4 have begun" in said(page("interrupted"))
    assert page("mixed").members == "7 configurations × 6 seeds"


def test_one_seed_has_no_interval(page):
    text = said(page("single"))
    assert "There is one seed" in text
    assert "There is one configuration: nothing to choose from." in text
    found = {number.name: number for number in page("single").numbers()}
    assert "[" not in str(found["rest_iqm[0]"])


def test_what_all_diverged_is_not_ranked(page):
    text = said(page("diverged"))
    assert "8 of 8 members collapsed" in text
    assert "8 diverged" in text
    assert "None can be preferred" in text
    assert "No member is left" in text


def test_many_configurations_leave_the_top_short(page):
    assert len(page("many").tables["configurations"].rows) == 18
    for part in ("collapse", "distance", "preferred"):
        assert len(getattr(page("many"), part)) <= FEW + 1
        assert sum(len(plain(words)) for words in getattr(page("many"), part)) < 900


def test_tasks_are_ranked_each_on_its_own(page):
    found = page("noisy").tables["preferences"].frame()
    assert found["task"].tolist() == ["noise_level=0.1", "noise_level=0.5"]
    assert "not ranked" in said(page("noisy"))
    assert page("noisy").tables["chain"].frame()["task"].tolist() == ["noise_level=0.1"] * 2 + ["noise_level=0.5"] * 2
    assert "mse_error" in said(page("noisy"))


def test_shared_batches_are_no_replicates(gathered):
    run = gathered("rates")
    shared = run.results.assign(replicates=("configuration", [False] + [True] * 3))
    text = " ".join(map(plain, limits.limits(dataclasses.replace(run, results=shared))))
    assert f"Batches are shared in “{run.names[0]}”" in text
    older = dataclasses.replace(run, results=run.results.drop_vars("replicates"))
    assert "shared" not in " ".join(map(plain, limits.limits(older)))


def test_a_task_without_closed_forms_is_named(gathered):
    run = gathered("rates")
    nothing = run.r2_bayes * float("nan")
    unknown = dataclasses.replace(run, r2_bayes=nothing, r2_lmmse=nothing)
    made = content.content(unknown, [], [])
    assert "No closed form" in said(made)
    assert "closed form is not known" in said(made)
    assert rendering.html(made)


def test_a_scene_without_closed_forms_has_an_estimate_that_is_called_so(page):
    text = said(page(UNKNOWN))
    assert "The best possible one is not known." in text
    assert " the estimated best linear (" in text
    assert "the best linear predictor is estimated" in text
    assert "nan" not in text.split()
    found = page(UNKNOWN).tables["configurations"].frame()
    assert (found["r2_lmmse_low"] < found["r2_lmmse"]).all()
    assert found["r2_bayes"].isna().all()
    assert rendering.html(page(UNKNOWN))


def test_a_run_without_manifest_sessions_has_a_page(gathered):
    made = content.content(dataclasses.replace(gathered("one"), manifest={}), [], [])
    assert dict(made.provenance)["command"] == "unknown"


def test_provenance_names_what_made_the_numbers_and_the_page(page, gathered):
    found, session = dict(page("mixed").provenance), gathered("mixed").manifest["sessions"][0]
    assert session["command"] in found["command"]
    assert session["started"] in found["started"]
    assert f"jax {session['versions']['jax']}" in found["packages"]
    assert session["python"] == found["Python"]
    assert found["devices"].startswith("cpu:0")
    assert found["fingerprint"] == gathered("mixed").plan.fingerprint
    assert found["this page"].startswith("jaxbox ")
