"""The page as it is rendered: its numbers are in the files beside it, it needs nothing else, and texts stay texts."""

import csv
import dataclasses
import re

import numpy as np
import pytest
from pages import REPORTED, Page

from analysis import comparison
from analysis.figures import FIGURES
from analysis.report import __main__ as command
from analysis.report import content, folder, pictures, rendering
from analysis.report.pictures import Missing, Picture

EVIL = "<script>alert(1)</script>|`*_x_*`[a](b)\n# no"


@pytest.fixture(scope="module")
def parsed(report):
    return Page((report / "index.html").read_text())


def rows(report, name):
    with open(report / f"{name}.csv") as file:
        return list(csv.DictReader(file))


def same(shown, saved):
    shown = shown.replace("Infinity", "inf")
    return (shown == "NaN" and saved == "") or (saved != "" and float(shown) == float(saved))


def test_every_number_of_a_sentence_is_in_the_summary(report, parsed):
    saved = {float(row["value"]) for row in rows(report, "summary")}
    shown = [number for number in parsed.numbers if not number.place.startswith("table-")]
    assert len(shown) > 30
    assert not [number for number in shown if float(number.value) not in saved]
    by_name = {row["name"]: row for row in rows(report, "summary")}
    intervals = [(row["low"], row["value"], row["high"]) for row in by_name.values() if row["low"]]
    assert len(intervals) > 5
    assert all(float(low) <= float(value) <= float(high) for low, value, high in intervals)
    told = [own for tag, own in parsed.tags if tag == "data" and "data-name" in own]
    assert all(same(own["value"], by_name[own["data-name"]]["value"]) for own in told)
    assert all(own["title"] == by_name[own["data-name"]]["from"] for own in told)


@pytest.mark.parametrize("name", ["configurations", "chain"])
def test_every_number_of_a_table_is_in_its_csv(report, parsed, name):
    shown = [number.value for number in parsed.numbers if number.place == f"table-{name}"]
    saved = {value for row in rows(report, name) for value in row.values()}
    assert shown
    assert all(any(same(value, other) for other in saved if other == "" or _number(other)) for value in shown)


def _number(text):
    try:
        return float(text) is not None
    except ValueError:
        return False


def test_the_page_needs_nothing_but_itself(report, parsed):
    text = (report / "index.html").read_text()
    assert not re.search("https?:", text)
    assert not re.search(r"@import|url\((?!#)", text)
    loads = [
        own for tag, own in parsed.tags if tag in ("script", "img", "iframe", "object", "embed", "source", "video")
    ]
    assert all(own.get("src", "data:").startswith("data:") for own in loads)
    for link in parsed.links:
        if link.startswith("#"):
            assert link[1:] in parsed.identifiers
        elif not link.startswith("data:"):
            assert (report / link).is_file(), link


def test_identifiers_are_unique_and_references_are_met(report, parsed):
    assert len(parsed.identifiers) == len(set(parsed.identifiers))
    used = set(re.findall(r"url\(#([^)]*)\)", (report / "index.html").read_text()))
    assert used <= set(parsed.identifiers)


def test_a_figure_is_there_or_named_with_its_reason(report, parsed):
    check_figures(report, parsed, REPORTED)


@pytest.mark.slow
def test_every_figure_is_there_or_named_with_its_reason(tiny_run, tmp_path):
    command.write(tiny_run("mixed"), tmp_path)
    check_figures(tmp_path, Page((tmp_path / "index.html").read_text()), FIGURES)


def check_figures(report, parsed, names):
    text = (report / "index.html").read_text()
    drawn = {name for name in names if f"figure-{name}" in parsed.identifiers}
    assert 0 < len(drawn) < len(names)
    for name in names:
        files = [report / file for file in folder.FIGURE_FILES[name]]
        assert all(file.is_file() == (name in drawn) for file in files)
        assert name in drawn or f"<dt>{name}: " in text
    pictures_ = [own for tag, own in parsed.tags if tag in ("svg", "img")]
    assert len([own for own in pictures_ if own.get("aria-label") or own.get("alt")]) == len(drawn)


def test_markdown_links_the_pictures_and_its_tables_are_whole(report):
    text = (report / "report.md").read_text()
    links = re.findall(r"\]\(([^)]*)\)", text)
    assert links
    assert all((report / link).is_file() for link in links)
    blocks = re.findall(r"(?:^\|.*\|\n)+", text, re.MULTILINE)
    assert len(blocks) >= 3
    for block in blocks:
        lines = block.splitlines()
        assert set(lines[1]) <= set("|-")
        assert {len(re.findall(r"(?<!\\)\|", line)) for line in lines} == {lines[1].count("|")}


def test_markdown_says_what_the_page_says(report, parsed):
    told = {re.sub(r"\\", "", line) for line in (report / "report.md").read_text().splitlines()}
    for number in parsed.numbers:
        assert any(number.text in line for line in told), number


def test_the_same_run_gives_the_same_bytes(tiny_run, tmp_path, few_figures):
    first, second = tmp_path / "first", tmp_path / "second"
    for place in (first, second):
        comparison._snapshot.cache_clear()
        command.write(tiny_run("rates"), place)
    names = sorted(str(file.relative_to(first)) for file in first.rglob("*") if file.is_file())
    assert len(names) == 13
    assert names == sorted(str(file.relative_to(second)) for file in second.rglob("*") if file.is_file())
    assert not [name for name in names if (first / name).read_bytes() != (second / name).read_bytes()]


def test_the_page_is_small(report):
    assert (report / "index.html").stat().st_size < 5_000_000


@pytest.fixture
def evil(page, gathered):
    """A page of a run whose every text would do harm."""
    run = gathered("mixed")
    bad = dataclasses.replace(run, names=(EVIL,) * len(run.names))
    bad.compared.attrs["run"], kept = EVIL, bad.compared.attrs["run"]
    try:
        picture = Picture("one", EVIL, EVIL, pictures.inline_svg('<svg width="1"><g id="a"/></svg>', "one", EVIL))
        yield content.content(bad, [picture], [Missing("two", EVIL, EVIL)])
    finally:
        bad.compared.attrs["run"] = kept


def test_texts_stay_texts_in_html(evil):
    parsed = Page(rendering.html(evil))
    assert [tag for tag, _ in parsed.tags].count("script") == 1
    assert "alert" not in parsed.texts["script"]
    assert parsed.texts["h1"] == EVIL
    assert EVIL in parsed.texts["title"]


def test_texts_stay_texts_in_markdown(evil):
    text = rendering.markdown(evil)
    assert "<script" not in text
    assert "\n# no" not in text
    assert not re.search(r"(?<!\\)`", text)
    assert not re.search(r"(?<!\\)\[a(?<!\\)\]\(b\)", text)
    for block in re.findall(r"(?:^\|.*\|\n)+", text, re.MULTILINE):
        assert len({len(re.findall(r"(?<!\\)\|", line)) for line in block.splitlines()}) == 1


def test_names_of_options_can_be_read_in_markdown():
    assert rendering._escaped("learning_rate=0.1") == "learning_rate=0.1"
    assert rendering._escaped("__main__.py _a_") == r"\_\_main\_\_.py \_a\_"


def test_a_picture_inside_of_the_page_keeps_to_itself():
    file = '<?xml version="1.0"?>\n<!DOCTYPE svg>\n<svg xmlns="http://www.w3.org/2000/svg" width="486pt" viewBox="0 0 1 1">'
    file += '<metadata><a rdf:resource="http://purl.org"/></metadata><g id="a" clip-path="url(#b)"/>'
    file += '<use xlink:href="#a"/></svg>'
    found = pictures.inline_svg(file, "name", 'a "caption" <b>')
    assert found == (
        '<svg viewBox="0 0 1 1" role="img" aria-label="a &quot;caption&quot; &lt;b&gt;"><g id="name-a" '
        'clip-path="url(#name-b)"/><use xlink:href="#name-a"/></svg>'
    )


def test_a_large_picture_stands_in_the_page_as_its_png(tiny_run, tmp_path, monkeypatch):
    monkeypatch.setattr(pictures, "LARGEST_SVG", 10)
    monkeypatch.setattr(pictures, "FIGURES", {"predictions": FIGURES["predictions"]})
    (found,), _ = pictures.pictures(tiny_run("single"), lambda name: tmp_path)
    assert found.inline.startswith('<img src="data:image/png;base64,iVBOR')


def test_broken_links_are_loud_and_name_their_members(gathered):
    run = gathered("mixed")
    links = run.compared["broken_link"].values.astype(object)
    assert not (links != "").any()
    links[3, 2, 1] = "information >= rate_distortion"
    broken = run.compared.assign(broken_link=(run.compared["broken_link"].dims, links))
    made = content.content(dataclasses.replace(run, compared=broken), [], [])
    text = rendering.html(made)
    assert text.index('role="alert"') < text.index("How often it collapses")
    (row,) = made.tables["broken_links"].frame().to_dict("records")
    assert (row["configuration"], row["seed"], row["axis"]) == (3, 2, "y")
    assert made.tables["chain"].frame()["broken"].tolist() == [0, 1]
    assert "chain is broken for 1 coordinates" in rendering.markdown(made)
    assert np.isfinite(row["rate_distortion"])
