"""Rules on made-up runs whose truth is known, and in real sweeps that stop, are killed and go on."""

import dataclasses

import numpy as np
import pytest
import tiny
import xarray
from scipy.stats import binom

from jaxbox import store, sweep
from jaxbox.config import ConfigurationError, Optimizer, Plan
from jaxbox.sweep.__main__ import main
from jaxbox.sweep.until import Order, OrderR2, Width, decide, parse, wanted
from jaxbox.sweep.until.decisions import anytime

RARE = 1e-4
PAIR = [dataclasses.replace(tiny.TINY, optimizer=Optimizer("sgd", rate)) for rate in (0.1, 0.2)]
PLAN = Plan.of(PAIR, 1)


@dataclasses.dataclass(frozen=True)
class Told(Order):
    """An order whose events are told."""

    events: tuple = ()

    def measure(self, run):
        return {"collapse rate": np.array(self.events)}


def run_of(seeds):
    """A run in which each configuration has so many seeds."""
    last = np.where(np.arange(max(seeds)) < np.array(seeds)[:, None], 4, -1)
    return xarray.Dataset({"last_step": (("configuration", "seed"), last)})


def told(first, second, margin=0.1):
    return Told(margin, tuple(map(tuple, (first, second))))


@pytest.mark.parametrize(
    ("first", "second", "answer", "most"),
    [(0.9, 0.0, "more", 24), (0.0, 0.9, "less", 24), (0.0, 0.0, "equal", 96), (0.22, 0.22, "", 0), (0.4, 0.3, "", 0)],
)
def test_an_order_is_seldom_wrong_and_soon_right_where_it_is_clear(first, second, answer, most):
    """Where the difference is the margin itself, either answer but the other order is right."""
    random, found = np.random.default_rng(7), []
    for _ in range(200):
        events = random.random((2, 512)) < np.array([[first], [second]])
        (decision,) = decide(told(*events), PLAN, run_of([512, 512]), 512)
        found.append((decision.answer, decision.seeds))
    answers = [each for each, _ in found]
    wrong = {"more", "less", "equal"} - {"equal" if abs(first - second) <= 0.1 else answer, answer}
    if first - second == pytest.approx(0.1):
        wrong = {"less"}
    assert sum(each in wrong for each in answers) <= binom.ppf(1 - RARE, 200, 0.05)
    if answer:
        assert np.mean([each == answer for each in answers]) > 0.95
        assert max(seeds for _, seeds in found) <= most


def test_only_configurations_that_are_not_decided_get_seeds():
    three = Plan.of([*PAIR, dataclasses.replace(tiny.TINY, optimizer=Optimizer("sgd", 0.3))], 1)
    events = np.zeros((3, 24), bool)
    events[2] = True  # decided against both others, while these are not against each other
    rule = Told(0.1, tuple(map(tuple, events)))
    decisions = decide(rule, three, run_of([24, 24, 24]), 512)
    assert [each.subject.configurations for each in decisions] == [(0, 1), (0, 2), (1, 2)]
    assert [each.answer for each in decisions] == ["", "less", "less"]
    assert wanted(decisions, 3) == [32, 32, 0]


def test_a_decision_is_that_of_the_look_and_no_later_seed_changes_it():
    events = np.zeros((2, 40), bool)
    events[0, :16] = True
    early = decide(told(*events[:, :16]), PLAN, run_of([16, 16]), 512)
    late = decide(told(*events), PLAN, run_of([40, 40]), 512)
    assert early == late
    assert early[0].answer == "more"


def test_the_smaller_number_of_seeds_of_a_pair_is_what_there_is_and_the_last_look_is_the_end():
    events = np.zeros((2, 24), bool)
    events[1, 16:] = True  # of a seed that the second has not
    (decision,) = decide(told(*events), PLAN, run_of([24, 16]), 16)
    assert (decision.seeds, decision.wants, decision.answer) == (16, 0, "")
    (nothing,) = decide(told(*events), PLAN, run_of([0, 24]), 16)
    assert (nothing.seeds, nothing.wants, nothing.found) == (0, 8, None)
    assert anytime(told(*events), PLAN, run_of([0, 24])) == [None]


def test_rules_are_read_and_refused():
    assert [parse(text) for text in ("width:0.05", "order", "order:0.2", "order_r2")] == [
        Width(0.05),
        Order(0.1),
        Order(0.2),
        OrderR2(0.05),
    ]
    assert [parse(rule.name) for rule in (Width(0.02), Order(0.3), OrderR2(0.1))] == [
        Width(0.02),
        Order(0.3),
        OrderR2(0.1),
    ]
    for text in ("width", "width:0.5", "width:0.001", "width:x", "order:nan", "order:-1", "widht:0.1"):
        with pytest.raises(ConfigurationError, match=r"^until: "):
            parse(text)


def test_a_sweep_grows_until_it_is_decided_and_goes_on_where_it_was_stopped(tmp_path):
    options = {"until": "width:0.2", "members_per_chunk": 8, "out": tmp_path, "quiet": True}
    whole = sweep.run(PAIR, name="whole", **options).load()
    looks = Width(0.2).looks(512)
    assert int((whole["last_step"] >= 0).sum()) in {a + b for a in looks for b in looks}
    stopped = sweep.run(PAIR, name="stopped", stop_after=1e-6, **options)
    assert store.load_manifest(tmp_path / "stopped")["status"] == "interrupted"
    assert int((stopped["last_step"] >= 0).sum()) < int((whole["last_step"] >= 0).sum())
    resumed = sweep.run(resume=tmp_path / "stopped", quiet=True).load()
    xarray.testing.assert_identical(
        resumed.drop_vars("seconds"), whole.drop_vars("seconds").assign_attrs(resumed.attrs)
    )
    # What is decided gets nothing more, and a run that was asked for as many seeds has the same bits.
    again = sweep.run(resume=tmp_path / "stopped", quiet=True)
    assert again.sizes == resumed.sizes
    fixed = sweep.run(PAIR, looks[0], name="fixed", members_per_chunk=8, out=tmp_path, quiet=True)
    same = slice(0, looks[0] - 1)
    np.testing.assert_array_equal(whole["loss"].sel(seed=same), fixed["loss"].sel(seed=same))


def test_the_tables_say_what_is_decided(tmp_path, capsys):
    words = "base --model.name linear --optimizer.name sgd --task.height 6 --task.width 6 --task.box_size 2 --steps 4"
    words += f" --eval_every 2 --vary optimizer.learning_rate 0.1 1e6 --until order:0.3 --max_seeds 24 --out {tmp_path}"
    assert main([*words.split(), "--name", "told"]) == 0
    out = capsys.readouterr().out
    assert "until order:0.3: 1 of 1 decided" in out
    assert "by optimizer.learning_rate" in out
    from jaxbox.status.__main__ import main as status

    assert status([str(tmp_path / "told")]) == 0
    assert "so that you may look at any time" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ("--until widht:0.1", "until: unknown name 'widht' (did you mean width?)"),
        ("--until width", "until: width is not allowed; it must be width:NUMBER"),
        ("--until order --seeds 8", "seeds: 8 is not allowed"),
        ("--until order --part 0/2 --name x", "part: 0/2 is not allowed with until"),
        ("--until order", "until: order:0.1 is not allowed; no two configurations"),
        ("--until width:0.1 --max_seeds 0", "max_seeds: 0 is not allowed"),
        ("--max_seeds 9", "max_seeds: 9 is not allowed; it must be left out without until"),
    ],
)
def test_what_makes_no_sense_is_refused_before_anything_is_written(words, line, tmp_path, capsys):
    assert main(["base", "--out", str(tmp_path / "runs"), *words.split()]) == 2
    error = capsys.readouterr().err
    assert line in error
    assert error.count("\n") == 1
    assert not (tmp_path / "runs").exists()
