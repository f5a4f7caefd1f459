"""What becomes of samples: statistics, the lines below the table, the picture."""

import matplotlib
import numpy as np
import pytest
from matplotlib.colors import to_rgb

from jaxbox import plotting
from jaxbox.bench import comparison, plot, table
from jaxbox.bench.sides import SIDES


def side(seconds, evaluation=0.0, seeds=2, steps=10):
    return {
        "seeds_measured": seeds,
        "steps": steps,
        "seconds": list(seconds),
        "evaluation_seconds": [evaluation] * len(seconds),
        "compile_seconds": 1.5,
        "peak_memory_bytes": {"host": 3 * 2**20},
        "losses": [[1.0]],
    }


@pytest.fixture
def measured(configurations):
    """(seeds, model) -> a case that has been measured."""

    def case(seeds=8, model="linear"):
        own = {"jaxbox": side((3.0, 5.0, 2.0), evaluation=1.0), "torch": side((8.0, 2.0)), "flax": side((0.5,) * 3)}
        found = {
            "model": model,
            "size": 32,
            "seeds": seeds,
            "sides": own,
            "unmeasured": {"keras": "failed: out of memory"},
        }
        return comparison.summary(found, configurations["linear"], 1e6)

    return case


def test_medians_quartiles_and_paired_ratios(measured):
    sides = measured()["sides"]
    own, other = np.array([2.0, 4.0, 1.0]), np.array([8.0, 2.0])
    assert sides["jaxbox"]["ms_per_seed_step"]["median"] == pytest.approx(1e3 * 2.0 / 20)
    assert sides["jaxbox"]["ms_per_seed_step"]["upper"] == pytest.approx(1e3 * np.percentile(own, 75) / 20)
    assert sides["torch"]["times_jaxbox"]["median"] == pytest.approx(np.median(other / own[:2]))
    assert sides["torch"]["times_jaxbox"]["lower"] == pytest.approx(np.percentile([4.0, 0.5], 25))
    assert sides["torch"]["seed_steps_per_second"] == pytest.approx(20 / 5.0)
    assert sides["torch"]["share_of_peak"] == pytest.approx(4.0 * 2 * 16 * 2 * 72 * 2 / 1e6)
    assert sides["jaxbox"]["evaluation"] == {"seconds_per_seed": 0.5, "every": 50, "share": pytest.approx(0.5 / 5.5)}
    assert sides["torch"]["evaluation"] is None


def test_who_wins_and_who_fails_is_said(measured):
    lines = table.remarks({"cases": [measured()], "skipped": {"torch-graphs": "needs a GPU"}})
    assert lines[0].startswith("linear 32 x 32, 8 seeds: flax wins, 4.00 ")
    assert not [line for line in lines if "torch wins" in line]
    assert "linear 32 x 32, 8 seeds: keras failed: out of memory" in lines
    assert lines[-1] == "skipped torch-graphs: needs a GPU"


def test_a_scene_is_named_where_it_is_not_the_box(measured):
    lines = table.remarks({"cases": [measured() | {"scene": "dots"}], "skipped": {}})
    assert lines[0].startswith("linear on dots 32 x 32, 8 seeds: flax wins")


@pytest.mark.parametrize("suffix", plotting.SUFFIXES)
def test_the_picture_names_what_it_shows(suffix, measured, tmp_path):
    path = tmp_path / f"throughput{suffix}"
    boxes = [measured(seeds, model) for seeds in (1, 8) for model in ("linear", "cnn")]
    plot.draw([*boxes, measured(8) | {"scene": "dots"}], path)
    assert path.stat().st_size > 1000
    if suffix == ".svg":
        text = path.read_text()
        for words in (
            "jaxbox",
            "torch",
            "flax",
            "seeds",
            "seed-steps per second",
            "cnn, 32 × 32 pixels",
            "linear on dots, 32",
        ):
            assert words in text


def test_every_side_has_a_look_of_its_own():
    assert len(plotting.LOOKS) >= len(SIDES)
    for key in ("marker", "linestyle"):
        looks = [look[key] for look in plotting.LOOKS]
        assert len(set(looks)) == len(looks), "told apart in grey"
    colours = [(look["color"], look["markerfacecolor"]) for look in plotting.LOOKS]
    assert len(set(colours)) == len(colours), "a colour that comes again has hollow markers"
    assert {look["color"] for look in plotting.LOOKS} <= set(plotting.OKABE_ITO.values())


@pytest.mark.skipif("okabe_ito" not in matplotlib.color_sequences, reason="matplotlib before 3.11")
def test_colours_are_matplotlib_s():
    expected = sorted(tuple(colour) for colour in matplotlib.color_sequences["okabe_ito"])
    np.testing.assert_allclose(sorted(map(to_rgb, plotting.OKABE_ITO.values())), expected, atol=1e-6)
