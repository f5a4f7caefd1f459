"""The page of verdicts: all of every story is on it, in order, escaped, in one file; pictures agree with numbers."""

import dataclasses
import json
import re
import shutil
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
import told_claims as told
import xarray
from pages import Page

from analysis.claims import page, picture, provenance, telling
from analysis.claims.verdicts import ORDER
from jaxbox import store

EVIL = "<script>alert(1)</script>\"'&amp;<b>"
CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")


@pytest.fixture(scope="module")
def stories():
    return told.every()


@pytest.fixture(scope="module")
def text(stories):
    return page.html(stories, Path("no such folder"))


def article(text, name):
    return re.search(rf'<article id="{name}">.*?</article>', text, re.DOTALL)[0]


def shown(text):
    """All words, with the white space of HTML, and some after each block."""
    text = re.sub(r"(</(?:li|dt|dd|td|th|p|h\d|text)>)", r"\1 ", text)
    return " ".join("".join(ElementTree.fromstring(f"<p>{text}</p>").itertext()).split())


def test_all_of_a_story_is_there(stories, text):
    for story in stories:
        own = article(text, story.claim.name)
        words = shown(own)
        claim = story.claim
        for said in (claim.text, claim.source, claim.advice, story.command, telling.evidence(story)):
            assert " ".join(said.split()) in words
        assert words.startswith(f"{page.SYMBOLS[story.verdict]} {story.verdict} ")
        for each in story.outcomes:
            assert each.placed.comparison.condition in words
            assert each.placed.where in words or each.found is None
        for step in story.steps:
            assert all(said in words for said in (step.step, step.counterexample, step.correction))


def test_numbers_are_the_objects_own(stories, text):
    for story in stories:
        wanted = [value for step in story.steps for value in (step.claimed, step.true)]
        for each in story.outcomes:
            if each.found is not None:
                level = [each.placed.comparison.level] * (len(each.sides) == 1)
                wanted += [*each.sides, *level, *each.found]
        found = Page(article(text, story.claim.name)).numbers
        assert [float(number.value.replace("Infinity", "inf")) for number in found] == [float(each) for each in wanted]
    (number,) = [
        each for each in Page(article(text, "rate_too_high")).numbers if each.title == "low end of its interval"
    ]
    assert (number.value, number.text) == ("-0.8", "-80%")
    assert "some 40 seeds would decide it" in shown(article(text, "score"))


def test_the_rule_is_told_in_units_of_the_statistic(text):
    rule = "collapse rate: true once the difference is surely below 0, false once it is surely above -20%"
    assert rule in shown(article(text, "rate_too_high"))
    assert "R2: true once the difference is surely above 0, false once it is surely below 0.050" in shown(
        article(text, "score")
    )


def test_sides_are_told_by_the_fields_in_which_they_differ(text):
    assert "First: optimizer.learning_rate 0.001. Second: optimizer.learning_rate 0.01." in shown(
        article(text, "rate_too_high")
    )
    assert "Second: a fixed number." in shown(article(text, "score"))
    caption = "collapse rate, difference: optimizer.learning_rate 0.001 less optimizer.learning_rate 0.01; the claim says: below 0."
    assert caption in shown(article(text, "rate_too_high"))
    assert "R2 less 0.850; the claim says: above 0." in shown(article(text, "score"))


def test_numbers_are_short_for_people_and_exact_for_scripts():
    assert [page.short(each) for each in (65025.0, 3.677858e-05, 0.5, np.inf, -np.inf)] == [
        "65,025",
        "3.678e-05",
        "0.5",
        "∞",
        "-∞",
    ]
    assert [page.exact(each) for each in (0.1, np.float64(1), np.inf)] == ["0.1", "1.0", "Infinity"]


def test_what_surprises_comes_first_and_what_is_not_true_before_what_is(stories, text):
    names = re.findall('<article id="([^"]*)">', text)
    assert names == [
        *("steps", "score", "many_filters_hurt", "batch_normalization", "not_run"),
        *("a_step", "reasoned", "predicts_the_mean", "equal", "rate_too_high"),
    ]
    assert sorted(names) == sorted(story.claim.name for story in stories)


def test_every_verdict_has_a_shape_of_its_own():
    assert set(page.SYMBOLS) == set(page.MEANINGS) == set(page.FIRST) == set(ORDER)
    assert len(set(page.SYMBOLS.values())) == len(ORDER)


def test_the_top_says_how_many_how_often_and_what_to_do(text):
    top = shown(re.search("<main>(.*?)<nav", text, re.DOTALL)[1])
    assert "3 ● true 1 ○ false 3 ◐ conditional 1 ◎ unfounded 2 × undecided" in top
    assert "Trained so, 25% to 62% of networks predict the mean" in top
    assert "At a lower rate 12% do, where at 0.01 75% of the same networks do." in top
    assert "1 of the 8 claims that take training have none" in top
    advice = top[top.index("If your regression is stuck") :]
    assert "Advice of many_filters_hurt." not in advice  # it came out false
    assert advice.endswith(
        "Advice of rate_too_high. Why Advice of batch_normalization. Why (it depends) Advice of predicts_the_mean. Why"
    )


def test_conditional_says_where(stories, text):
    words = shown(article(text, "batch_normalization"))
    place = "in place of 0.01, at the rate 0.001"
    (story,) = (each for each in stories if each.claim.name == "batch_normalization")
    holds, fails = (each.placed.where for each in story.outcomes)
    assert "Adam's epsilon 1e-7 (Keras's)" in holds
    assert "box of 5, Adam's epsilon 1e-8 (the question's)" in fails
    assert f"It holds {place} ({holds}) It does not {place} ({fails})" in words
    assert "It holds one size It does not sides from 2 to 6" in shown(article(text, "steps"))
    assert "It holds Holds if. It does not two values" in shown(article(text, "a_step"))
    assert "It holds" not in shown(article(text, "equal"))


def test_it_loads_nothing_and_its_links_are_met(text):
    parsed = Page(text)
    assert not re.search(r"https?:|@import|url\(|<script|\son\w+=", text)
    assert not {tag for tag, _ in parsed.tags} & {"script", "img", "iframe", "object", "embed", "source", "video"}
    assert len(parsed.identifiers) == len(set(parsed.identifiers))
    links = [link for link in parsed.links if link != "data:,"]
    assert all(link.startswith("#") and link[1:] in parsed.identifiers for link in links)
    assert text.startswith('<!DOCTYPE html>\n<html lang="en">')
    assert [own for tag, own in parsed.tags if tag == "meta" and own.get("name") == "viewport"]
    # What is opened is closed: all but the elements that are never closed reads as XML.
    body = re.search("<body>.*</body>", text, re.DOTALL)[0]
    assert ElementTree.fromstring(re.sub("<br>", "<br/>", body)) is not None


def test_texts_stay_texts(stories):
    bad = [
        dataclasses.replace(
            story, claim=dataclasses.replace(story.claim, text=EVIL, source=EVIL, advice=EVIL), steps=evil_steps(story)
        )
        for story in stories
    ]
    comparison = dataclasses.replace(told.TWO_SIDES, condition=EVIL)
    bad.append(told.measured("evil", [told.outcome((-0.5, -0.7, -0.3), "true", comparison=comparison)]))
    text = page.html(bad, Path("no such folder"))
    assert "script" not in {tag for tag, _ in Page(text).tags}
    assert "<b>" not in text
    assert EVIL in Page(text).texts["a"]


def evil_steps(story):
    return tuple(dataclasses.replace(step, step=EVIL, correction=EVIL, counterexample=EVIL) for step in story.steps)


def test_without_runs_it_says_so():
    none = [told.measured(name, [told.outcome(None, "")]) for name in ("predicts_the_mean", "rate_too_high")]
    words = shown(re.search("<body>(.*)</body>", page.html(none, Path("no such folder")), re.DOTALL)[1])
    assert "There are no runs yet: 2 of the 2 claims" in words
    assert "How often that network predicts the mean is not known" in words
    assert "Whether a lower rate helps is not known" in words
    assert "No cure has come out yet: that has to wait for the runs." in words
    assert "There is no run behind this page." in words
    assert "<svg" not in page.html(none, Path("no such folder"))


def test_no_story_makes_a_page():
    assert "0 claims" in page.html([], Path("no such folder"))


def drawn(text, name):
    return [ElementTree.fromstring(each) for each in re.findall("<svg.*?</svg>", article(text, name), re.DOTALL)]


def test_pictures_agree_with_their_numbers(stories, text):
    marks = 0
    for story in stories:
        pictures = drawn(text, story.claim.name)
        assert len(pictures) == any(each.found is not None for each in story.outcomes)
        for one in pictures:
            ticks = {each.text: float(each.get("x")) for each in one.iter("text") if each.get("class") == "axis"}
            (low, left), (_, middle), (high, right) = ticks.items()
            scale = float(high.strip("%")) / (100 if "%" in high else 1)
            assert middle - left == right - middle > 100
            assert float(low.strip("%")) == -float(high.strip("%"))
            for each, row in zip(story.outcomes, list(one.iter("g")), strict=True):
                assert row.get("data-answer") == telling.ANSWERS[each.answer]
                value, *ends = (np.clip(float(number) / scale, -1, 1) for number in each.found)
                line = next(part for part in row.iter("line") if part.get("class") == "interval")
                assert [(float(line.get(x)) - middle) / (right - middle) for x in ("x1", "x2")] == pytest.approx(
                    ends, abs=1e-3
                )
                assert (mark(row, each.answer) - middle) / (right - middle) == pytest.approx(value, abs=1e-3)
                marks += 1
                shade = row.find("rect[@class='margin']")
                found = [float(shade.get("x")), float(shade.get("x")) + float(shade.get("width"))]
                wanted = {"more": (0, 1), "less": (-1, 0), "equal": (-1, 1)}[each.placed.comparison.direction]
                assert [(x - middle) / (right - middle) * scale for x in found] == pytest.approx(
                    [each.placed.margin * sign for sign in wanted], abs=1e-3
                )
                assert len(row.findall("path[@class='beyond']")) == 2 * np.isinf(each.found.low)
    assert marks == 11


def mark(row, answer):
    if answer:
        (circle,) = row.iter("circle")
        assert circle.get("class") == answer
        return float(circle.get("cx"))
    start = row.find("path[@class='undecided']").get("d")
    return float(start[1:].split()[0]) + 4.5


def test_nothing_in_a_picture_is_outside_of_it(text):
    for one in re.findall("<svg.*?</svg>", text, re.DOTALL):
        svg = ElementTree.fromstring(one)
        _, _, width, height = map(float, svg.get("viewBox").split())
        for part in svg.iter():
            for name, value in part.items():
                if name in ("x", "x1", "x2", "cx"):
                    assert 0 <= float(value) <= width
                if name in ("y", "y1", "y2", "cy"):
                    assert 0 <= float(value) <= height
        assert svg.get("aria-label")


def test_scales_are_round_and_long_enough():
    def end(*found, margin=0.05):
        return picture.limit([told.outcome(each, "", (1.0,), statistic="R2", margin=margin) for each in found])

    assert end((0.01, -0.02, 0.03)) == pytest.approx(0.1)
    assert end((0.1, -0.2, 0.15)) == pytest.approx(0.2)
    assert end((0.1, -0.2, 0.21), (0.0, -0.1, 0.1)) == pytest.approx(0.5)
    assert end((0.1, -9.0, np.inf)) == 2.0
    assert picture.limit([told.outcome((0.01, 0.0, 0.02), "")]) == 1.0


def test_long_labels_are_broken_and_rows_keep_apart():
    comparison = dataclasses.replace(told.TWO_SIDES, condition="word " * 30)
    found = [told.outcome((0.1, 0.0, 0.2), "", comparison=comparison), told.outcome((0.1, 0.0, 0.2), "")]
    svg = ElementTree.fromstring(picture.strip(found, "said"))
    labels = [each for each in svg.iter("text") if each.get("class") == "label"]
    assert max(len(each.text) for each in labels) <= picture.LETTERS
    heights = [float(each.get("y")) for each in labels]
    assert min(np.diff(heights)) >= picture.LINE


@pytest.fixture
def a_run(monkeypatch, tmp_path):
    """A folder with a run as far as the page looks at it."""
    steps, losses = np.array([[10, 10, -1], [10, -1, -1]], np.int32), np.zeros((2, 3, 2), np.float32)
    dims = ("configuration", "seed")
    run = xarray.Dataset({"last_step": (dims, steps), "loss": ((*dims, "step"), losses)})
    plan = type("Plan", (), {"fingerprint": "f" * 64})
    manifest = {"status": "complete", "sessions": [{"versions": {"jax": "0.1"}}, {"versions": {"jax": "9.8.7"}}]}
    monkeypatch.setattr(provenance.store, "load_manifest", lambda path: manifest)
    monkeypatch.setattr(provenance.store, "open_with_plan", lambda path: (run, plan))
    monkeypatch.setattr(provenance.store, "load_plan", lambda path: plan)
    job = told.outcome(None, "").placed.job
    (tmp_path / job).mkdir()
    (tmp_path / job / store.CONFIGURATION).touch()
    (tmp_path / job / store.RESULTS).touch()
    return tmp_path, job, run


def test_a_page_says_which_runs_it_is_from(stories, a_run):
    folder, job, run = a_run
    text = page.html(stories, folder)
    words = shown(re.search("(<footer.*</footer>)", text, re.DOTALL)[1])
    assert (
        f"Run {job} status complete networks 3, 1 to 2 seeds of each kind versions jaxbox unknown, jax 9.8.7" in words
    )
    assert "f" * 64 in words
    assert provenance.digest(run) in words
    assert "python -m analysis.claims --run" in words
    assert str(folder) not in text
    (folder / job / store.RESULTS).unlink()
    assert "networks no results yet" in " ".join(page.html(stories, folder).replace("</dt><dd>", " ").split())


def test_a_digest_is_of_each_number(a_run):
    _, _, run = a_run
    before = provenance.digest(run)
    assert before == provenance.digest(run.copy(deep=True))
    for name, kind in provenance.DIGESTED.items():
        other = run.copy(deep=True)
        other[name].values[(0,) * other[name].ndim] += np.array(1, kind)
        assert provenance.digest(other) != before


def test_the_same_stories_give_the_same_bytes(stories, text):
    assert page.html(told.every(), Path("no such folder")) == text


@pytest.fixture(scope="module")
def browser(text, tmp_path_factory):
    webdriver = pytest.importorskip("selenium.webdriver")
    if not (CHROMIUM and DRIVER):
        pytest.skip("no chromium and chromedriver here")
    file = tmp_path_factory.mktemp("page") / "verdicts.html"
    file.write_text(text, encoding="utf-8")
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for flag in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
    driver.get(file.as_uri())
    yield driver
    driver.quit()


def test_a_browser_asks_for_nothing_else(browser):
    messages = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    asked = [event["params"]["request"]["url"] for event in messages if event["method"] == "Network.requestWillBeSent"]
    assert [url for url in asked if not url.startswith("data:")] == [browser.current_url]
    assert browser.get_log("browser") == []


@pytest.mark.parametrize("width", [360, 1200])
def test_nothing_sticks_out_of_the_page(browser, width):
    size = {"width": width, "height": 740, "deviceScaleFactor": 1, "mobile": width < 500}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    for opened in (False, True):
        script = "for (const each of document.querySelectorAll('details')) each.open = arguments[0]; const page = "
        script += "document.documentElement; return [page.scrollWidth, page.clientWidth, window.innerWidth]"
        needed, there, window = browser.execute_script(script, opened)
        assert needed <= there <= window == width
