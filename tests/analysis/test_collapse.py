"""Kinds of collapse against predictors that have them, chance against simulation, numbers against their definitions."""

import dataclasses
import itertools

import ennemi
import numpy as np
import pytest
from scipy.stats import binom, pearsonr, spearmanr

from analysis.collapse import (
    KINDS,
    Accumulator,
    Diagnosis,
    conclude,
    dependence,
    diagnose,
    diagnosis,
    kinds,
    moments,
    places,
    ranks,
    reservoir,
    rules,
)

SIZES = (50, 500, 50_000)
# A bound on a simulated count is exceeded by chance once in 10^5 tests.
RARE = 1e-5


def numbers(n, seed=0):
    """Targets from 0 to 1, skewed so that mean, median and middle differ, and noise of unit variance."""
    random = np.random.default_rng([seed, n])
    targets = random.beta(1, 2, n)
    targets[:2] = 0, 1
    return targets, random.standard_normal(n)


PREDICTORS = {
    # Dead: what is predicted is one number, or float32 noise about one.
    "mean": (lambda y, e: np.full(len(y), y.mean()), "dead", "mean"),
    "median": (lambda y, e: np.full(len(y), np.median(y)), "dead", None),
    "zero": (lambda y, e: np.zeros(len(y)), "dead", "zero"),
    "maximum": (lambda y, e: np.ones(len(y)), "dead", "maximum"),
    "saturated": (lambda y, e: np.full(len(y), 0.9999), "dead", "maximum"),
    "elsewhere": (lambda y, e: np.full(len(y), 0.7), "dead", "elsewhere"),
    "beyond": (lambda y, e: np.full(len(y), -3.0), "dead", "elsewhere"),
    "float32 constant": (lambda y, e: (y.mean() + 1e-8 * y).astype(np.float32), "dead", "mean"),
    "float32 constant in float64": (lambda y, e: 0.7 + 1e-8 * y, "dead", "elsewhere"),
    "rounding": (lambda y, e: np.float32(0.7) + np.spacing(np.float32(0.7)) * np.sign(np.round(e / 2)), "dead", None),
    # Partly dead: nothing below a value, or above one.
    "half dead": (lambda y, e: np.maximum(y, 0.3), "partly dead", None),
    "half dead, noisy": (lambda y, e: np.where(y < 0.4, 0.0, y + 0.03 * e), "partly dead", "zero"),
    "saturated above": (lambda y, e: np.minimum(y, 0.3), "partly dead", None),
    # Shrunk: at every scale down to float32's rounding, wherever the middle is.
    "shrunk": (lambda y, e: y.mean() + 0.05 * (y - y.mean()), "shrunk", None),
    "very shrunk": (lambda y, e: 1e-4 * y, "shrunk", None),
    "shrunk, noisy": (lambda y, e: 0.5 + 0.01 * (y + 0.2 * e), "shrunk", None),
    "exploded": (lambda y, e: 1e15 * (y + e), "diverged", None),
    "nanoseconds for seconds": (lambda y, e: 1e9 * y, "offset", None),
    "jitter": (lambda y, e: y.mean() + 0.1 * e, "jitter", None),
    "jitter at full scale": (lambda y, e: y.mean() + 0.3 * e, "jitter", None),
    "shuffled": (lambda y, e: np.random.default_rng(5).permutation(y), "jitter", None),
    "lost sign": (lambda y, e: (y - y.mean()) * np.sign(e), "nonlinear", None),
    "lost sign, shifted": (
        lambda y, e: 3 + 0.2 * (y - y.mean() + 0.02 * np.sin(1e6 * y)) * np.sign(e),
        "nonlinear",
        None,
    ),
    "inverted": (lambda y, e: 1 - y, "inverted", None),
    "inverted, noisy": (lambda y, e: -0.5 * y + 0.1 * e, "inverted", None),
    "offset": (lambda y, e: y + 0.2, "offset", None),
    "offset, noisy": (lambda y, e: y + 0.05 * e - 10, "offset", None),
    # None: good, noisy, coarse, on a scale that is off by a little.
    "perfect": (lambda y, e: y, "none", None),
    "good": (lambda y, e: y + 0.05 * e, "none", None),
    "fair": (lambda y, e: 0.1 + 0.7 * (y + 0.08 * e), "none", None),
    "steps": (lambda y, e: np.round(6 * y) / 6, "none", None),
    "twice": (lambda y, e: y.mean() + 1.5 * (y - y.mean()), "none", None),
}


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("name", PREDICTORS)
def test_each_predictor_has_its_kind(name, n):
    predict, kind, place = PREDICTORS[name]
    targets, noise = numbers(n)
    predictions = predict(targets, noise)
    (found,) = diagnose(targets, predictions)
    assert found.kind == kind, found
    assert place is None or found.constant_at == place, found
    assert (found.constant_at is None) == (found.constant is None) == ("dead" not in kind)
    assert "{" not in found.advice
    assert found.advice.endswith(".")
    many = kinds(targets, predictions[None].astype(float))
    assert (many.kind[0], many.constant_at[0]) == (found.kind, found.constant_at or "")


def test_every_kind_has_a_predictor_or_a_test_of_its_own():
    assert {kind for _, kind, _ in PREDICTORS.values()} == set(KINDS) - {"noise-limited", "memorised"}
    assert len(PREDICTORS) >= 20


HEALTHY = {
    "normal": lambda random, shape: random.standard_normal(shape),
    "uniform": lambda random, shape: random.uniform(-1.7, 1.7, shape),
    "lattice": lambda random, shape: random.integers(0, 13, shape) / 3.7,
    "two values": lambda random, shape: 2.0 * random.integers(0, 2, shape),
    "many zeros": lambda random, shape: 1.5 * np.maximum(0, random.standard_normal(shape)),
    "log-normal": lambda random, shape: np.exp(random.standard_normal(shape)) / 2,
    "Student's t with 2": lambda random, shape: random.standard_t(2, shape),
    "Cauchy": lambda random, shape: random.standard_cauchy(shape),
}


def false_alarms(law, n, repeats, seed):
    """Of predictors that know the target, but for noise of a third of its scale: in the prediction, in the target, heavy."""
    random = np.random.default_rng([seed, n])
    signal = HEALTHY[law](random, (repeats, n))
    noise, heavy = random.standard_normal(signal.shape), random.standard_t(2, signal.shape)
    pairs = ((signal, signal + 0.3 * noise), (signal + 0.3 * noise, signal), (signal + 0.2 * heavy, signal))
    for targets, predictions in pairs:
        stream = Accumulator()
        stream.update(targets.T, predictions.T)
        yield int(np.sum(rules.judge(diagnosis.gather(stream)).kind != "none"))


@pytest.mark.parametrize("n", [50, pytest.param(500, marks=pytest.mark.slow)])
@pytest.mark.parametrize("law", HEALTHY)
def test_healthy_predictors_raise_no_alarm(law, n):
    alarms = list(false_alarms(law, n, 1_000, 1))
    print(f"{law}, {n} pairs: {alarms} alarms in 1,000")
    assert max(alarms) < 10


@pytest.mark.slow
@pytest.mark.parametrize("law", HEALTHY)
def test_healthy_predictors_raise_no_alarm_among_many_pairs(law):
    alarms = sum(np.array(list(false_alarms(law, 50_000, 100, part))) for part in range(10))
    print(f"{law}, 50,000 pairs: {alarms} alarms in 1,000")
    assert max(alarms) < 10


def test_memory_is_not_alleged_without_reason():
    random = np.random.default_rng(3)
    for law, draw in HEALTHY.items():
        targets = draw(random, 120)
        predictions = targets + 0.4 * random.standard_normal((1_000, 120))
        found = kinds(targets, predictions, random.random((1_000, 120)) < 0.5).kind
        assert np.mean(found != "none") < 0.01, law


def test_independent_pairs_are_jitter():
    """.1% each for Pearson's, for ranks and for information."""
    random = np.random.default_rng(4)
    for n in (50, 169):
        found = kinds(random.standard_normal(n), random.standard_normal((2_000, n))).kind
        alarms = np.sum(found != "jitter")
        print(f"{alarms} of 2,000 are no jitter at {n} pairs")
        assert alarms <= binom.ppf(1 - RARE, 2_000, 0.003)


@pytest.mark.parametrize("n", [3, 5, 20, 50, 1_000])
def test_the_null_level_is_where_the_p_value_is_one_in_1000(n):
    random = np.random.default_rng(n)
    some, other = random.standard_normal((2, n))
    other -= (other - other.mean()) @ (some - some.mean()) / np.sum((some - some.mean()) ** 2) * some
    rho = np.sqrt(rules.null_level(n))
    some, other = ((values - values.mean()) / values.std() for values in (some, other))
    found = pearsonr(some, rho * some + np.sqrt(1 - rho**2) * other)
    assert found.statistic == pytest.approx(rho, abs=1e-9)
    assert found.pvalue == pytest.approx(0.001, rel=1e-5)
    assert n < 1_000 or rules.null_level(n) == pytest.approx(10.83 / (n - 1), rel=0.01)


@pytest.mark.parametrize("n", [20, 169, *(pytest.param(n, marks=pytest.mark.slow) for n in (50, 500))])
def test_information_of_independent_pairs_stays_under_its_level(n):
    random, repeats = np.random.default_rng(n), 2_000 if n < 500 else 500
    found = [dependence.information(*random.standard_normal((2, n))) for _ in range(repeats)]
    above = np.sum(np.array(found) > dependence.information_level(n))
    print(f"{above} of {repeats} above the level at {n} pairs; deviation {np.std(found) * np.sqrt(n):.2f} / sqrt(n)")
    assert above <= binom.ppf(1 - RARE, repeats, 0.001)
    assert abs(np.mean(found)) < 0.02
    assert 0.4 < np.std(found) * np.sqrt(n) < 0.85


@pytest.mark.parametrize("rho", [0.0, 0.5, 0.9, 0.99])
def test_information_of_a_normal_pair(rho):
    """Against -.5 ln(1 - rho^2) and ennemi's; the deviation of an estimate is under 1.2 / sqrt(n) nats."""
    random, n, repeats = np.random.default_rng(11), 2_000, 5
    found, theirs = [], []
    for _ in range(repeats):
        some, noise = random.standard_normal((2, n))
        other = rho * some + np.sqrt(1 - rho**2) * noise
        found.append(diagnose(some, other)[0].information)
        theirs.append(ennemi.estimate_mi(other, some).item())
        # Scale, order-preserving maps and a lattice's spacing change nothing.
        assert diagnose(np.exp(some), 5 - 3 * other)[0].information == pytest.approx(found[-1], abs=0.02)
    tolerance = 4 * 1.2 / np.sqrt(n * repeats)
    assert np.mean(found) == pytest.approx(-0.5 * np.log(1 - rho**2), abs=tolerance)
    assert np.mean(found) == pytest.approx(np.mean(theirs), abs=tolerance)


def test_information_of_a_lattice_is_what_counts_say():
    """Within each cell pairs are uniform; those within a neighbour's distance of its edge bias the estimate down."""
    targets = np.repeat(np.arange(8.0), 2_000)
    predictions = np.random.default_rng(0).permutation(8)[targets.astype(int)] * 1.0
    assert dependence.information(targets, predictions) == pytest.approx(np.log(8), abs=0.05)
    assert dependence.information(targets, np.zeros(16_000)) == 0


@pytest.mark.parametrize("n", [2, 50, 3_000])
def test_the_numbers_are_their_definitions_and_murphys_terms_add_up(n):
    random = np.random.default_rng(n)
    targets = random.standard_normal((n, 3)) * [1, 1e-3, 1e3] + [0, 1e6, -5]
    predictions = targets * [0.3, 2, -1] + random.standard_normal((n, 3)) * [1, 1e-3, 10]
    for axis, found in enumerate(diagnose(targets, predictions)):
        y, p = targets[:, axis], predictions[:, axis]
        error = np.mean((p - y) ** 2) / y.var()
        assert 1 - found.r2 == pytest.approx(error, rel=1e-9)
        assert found.bias == pytest.approx(np.mean(p - y), rel=1e-9)
        assert found.variance_ratio == pytest.approx(p.var() / y.var(), rel=1e-7)
        assert found.correlation == pytest.approx(np.corrcoef(y, p)[0, 1], abs=1e-9)
        rho, s, beta = found.correlation, np.sqrt(found.variance_ratio), found.bias / y.std()
        assert (1 - rho**2) + (rho - s) ** 2 + beta**2 == pytest.approx(error, rel=1e-7)
        assert (found.coordinate, found.n) == (axis, n)


def test_ranks_and_modes_are_their_definitions():
    random = np.random.default_rng(0)
    some, others = random.integers(0, 5, (2, 6, 30)).astype(float)
    found = ranks.rank_correlation(some, others)
    assert found == pytest.approx([spearmanr(one, two).statistic for one, two in zip(some, others, strict=True)])
    assert ranks.rank_correlation(some, np.ones((6, 30))) == pytest.approx(np.zeros(6))
    most = ranks.mode(some)
    for row, value, share, rest in zip(some, *most, strict=True):
        values, counts = np.unique(row, return_counts=True)
        assert (share, share) == (counts.max() / 30, np.mean(row == value))
        assert rest == pytest.approx((30 - counts.max()) / (len(values) - 1) / 30)


def streamed(targets, predictions, sizes):
    result, start = Accumulator(), 0
    for size in itertools.chain(sizes, itertools.repeat(sizes[-1])):
        result.update(targets[start : start + size], predictions[start : start + size])
        start += size
        if start >= len(targets):
            break
    return result


@pytest.mark.parametrize("n", [7, 5_000, 150_000])
@pytest.mark.parametrize("sizes", [(1, 0, 3, 997), (997,), (1, 60_000), (10**6,)])
def test_blocks_do_not_matter(n, sizes):
    targets, noise = numbers(n)
    both = np.stack([targets, 1e5 + targets], 1), np.stack([targets + 0.1 * noise, np.full(n, 0.1)], 1)
    once, blocks = diagnose(*both), conclude(streamed(*both, sizes))
    for one, two in zip(once, blocks, strict=True):
        for field in dataclasses.fields(Diagnosis):
            first, second = getattr(one, field.name), getattr(two, field.name)
            assert first == (pytest.approx(second, rel=1e-9, abs=1e-12) if isinstance(first, float) else second)


def test_the_subsample_is_a_random_one_and_the_same_for_all():
    assert np.array_equal(reservoir.sampled(100), np.arange(100))
    rows = reservoir.sampled(100_000)
    assert len(rows) == len(set(rows)) == reservoir.SAMPLE
    assert np.all(np.diff(rows) > 0)
    tenths = np.bincount(rows // 10_000, minlength=10)
    # A hypergeometric count of mean 410 and deviation 19.
    assert np.all(np.abs(tenths - reservoir.SAMPLE / 10) < 4.5 * 19)


def test_merging_is_what_one_pass_gives():
    random = np.random.default_rng(1)
    some, other = 1e8 + random.standard_normal((2, 2, 999))
    halves = [moments.Moments.of(some[:, part], other[:, part]) for part in (slice(300), slice(300, None))]
    merged, whole = halves[0].merge(halves[1]), moments.Moments.of(some, other)
    for field in dataclasses.fields(whole):
        assert getattr(merged, field.name) == pytest.approx(getattr(whole, field.name), rel=1e-8)


def test_a_constant_is_where_the_training_targets_say():
    random = np.random.default_rng(2)
    targets, train = random.uniform(0, 1, 400), np.concatenate([np.zeros(300), random.uniform(4, 6, 700)])
    for value, place in ((train.mean(), "mean"), (np.median(train), "median"), (6, "maximum"), (0, "zero")):
        assert diagnose(targets, np.full(400, value), train)[0].constant_at == place
    assert diagnose(targets, np.full(400, targets.mean()), train)[0].constant_at != "mean"
    # A tenth of the deviation is what an optimiser that does not settle may be off by; half is none of them.
    assert diagnose(targets, np.full(400, 0.5 + 0.09 * targets.std()))[0].constant_at in ("mean", "median")
    assert diagnose(targets, np.full(400, 0.5 + 0.5 * targets.std()))[0].constant_at == "elsewhere"


def test_the_mean_of_a_sample_is_found_at_the_mean():
    """A constant that is the law's mean, as if learned from other examples, misses the sample's by chance alone."""
    random = np.random.default_rng(6)
    for n in (50, 500):
        targets = random.exponential(1, (1_000, n))
        found = [kinds(some, np.ones((1, n))).constant_at[0] for some in targets]
        assert found.count("mean") >= 1_000 - binom.ppf(1 - RARE, 1_000, 0.005)
    assert places.CHANCE == 3.29


def test_noise_is_no_fault():
    targets, noise = numbers(2_000)
    signal = targets.mean() + 0.5 * (targets - targets.mean()) + 0.5 * targets.std() * noise
    (blind,) = diagnose(targets, np.full(2_000, targets.mean()), bayes_r2=0.02)
    assert (blind.kind, blind.constant_at) == ("noise-limited", "mean")
    assert diagnose(targets, np.full(2_000, targets.mean()), bayes_r2=0.9)[0].kind == "dead"
    r2 = diagnose(targets, signal)[0].r2
    for best, kind in ((r2 + 0.04, "noise-limited"), (r2 - 0.1, "noise-limited"), (0.96, "none"), (1, "none")):
        assert diagnose(targets, signal, bayes_r2=best)[0].kind == kind
    two = np.stack([targets, targets], 1)
    found = diagnose(two, np.stack([signal, np.full(2_000, 0.7)], 1), bayes_r2=[r2, 0.0])
    assert [each.kind for each in found] == ["noise-limited", "dead"]
    many = kinds(targets, np.stack([signal, signal]), bayes_r2=[r2, np.nan])
    assert many.kind.tolist() == ["noise-limited", "none"]


def test_few_pairs_cannot_tell_the_best_from_chance_and_say_so():
    """The best predictor of y = z + e has R2 = .5 and, at 50 pairs, is 5 points off as often as not."""
    random = np.random.default_rng(8)
    signal, noise = random.standard_normal((2, 1_000, 50))
    found = [kinds(some, other[None], bayes_r2=0.5).kind[0] for some, other in zip(signal + noise, signal, strict=True)]
    assert found.count("noise-limited") > 970
    targets, jitter = random.standard_normal((2, 6))
    (few,) = diagnose(targets, jitter)
    assert few.kind == "none"
    assert "too few" in few.advice


def test_what_is_memorised():
    random = np.random.default_rng(9)
    targets, train = random.uniform(0, 1, 300), random.uniform(0, 1, 300)
    jitter = random.permutation(targets)
    (found,) = diagnose(targets, jitter, train, train + 0.01 * random.standard_normal(300))
    assert found.kind == "memorised"
    assert diagnose(targets, jitter, train, random.permutation(train))[0].kind == "jitter"
    both, guesses = np.append(targets, train), np.append(jitter, train)
    seen = np.arange(600) >= 300
    assert kinds(both, guesses[None], seen).kind[0] == "memorised"
    # Neither without unseen pairs nor without seen ones.
    marks = np.stack([np.ones(600, bool), np.zeros(600, bool), seen])
    assert kinds(both, np.stack([guesses] * 3), marks).kind.tolist() == ["none", "none", "memorised"]


def test_many_members_at_once_are_each_alone(monkeypatch):
    targets, noise = numbers(169)
    members = np.stack([np.asarray(predict(targets, noise), float) for predict, _, _ in PREDICTORS.values()])
    members[3, 5] = np.nan
    members[7, 0] = np.inf
    members[9, 0] = 1e200
    train = np.random.default_rng(0).random(members.shape) < 0.5
    together = kinds(targets, members, train)
    alone = [kinds(targets, member[None], mark[None]) for member, mark in zip(members, train, strict=True)]
    assert together.kind.tolist() == [one.kind[0] for one in alone]
    assert together.constant_at.tolist() == [one.constant_at[0] for one in alone]
    assert np.flatnonzero(together.kind == "diverged").tolist() == [3, 7, 9, list(PREDICTORS).index("exploded")]
    monkeypatch.setattr("analysis.collapse.members.BATCH", 400)
    assert kinds(targets, members, train).kind.tolist() == together.kind.tolist()
    assert kinds(targets, np.full((2, 169), np.nan)).kind.tolist() == ["diverged"] * 2
    assert kinds(targets, np.empty((0, 169))).kind.shape == (0,)


def test_copies_are_noticed():
    targets, noise = np.random.default_rng(1).standard_normal((2, 300, 4))
    good = targets[:, 0] + 0.1 * noise[:, 0]
    outputs = np.stack([good, (3 - 2 * good).astype(np.float32), good + 0.01 * noise[:, 1], np.full(300, 0.3)], 1)
    found = diagnose(targets, outputs)
    assert [each.copy_of for each in found] == [None, 0, None, None]
    assert "coordinate 0" in found[1].advice
    # Where targets are copies, so may outputs be.
    alike = np.stack([targets[:, 0], 2 * targets[:, 0]], 1)
    assert [each.copy_of for each in diagnose(alike, alike)] == [None, None]


def test_one_coordinate_can_be_dead_and_the_other_not():
    targets, noise = np.random.default_rng(2).uniform(0, 1, (2, 200, 2))
    predictions = np.stack([np.full(200, targets[:, 0].mean()), targets[:, 1] + 0.01 * noise[:, 1]], 1)
    assert [each.kind for each in diagnose(targets, predictions)] == ["dead", "none"]


def test_large_targets_of_little_spread_are_not_float32():
    """1.7e9 +- 1, as times in seconds: float32 has a number every 128, so that these are float64."""
    targets, noise = np.random.default_rng(3).standard_normal((2, 500))
    assert diagnose(1.7e9 + targets, 1.7e9 + targets + 0.1 * noise)[0].kind == "none"
    assert diagnose(1.7e9 + targets, np.full(500, 1.7e9))[0].kind == "dead"


@pytest.mark.parametrize("scale", [1e-140, 1e-30, 1e30, 1e149])
def test_units_do_not_matter(scale):
    targets, noise = numbers(500)
    for name in ("mean", "zero", "maximum", "shrunk", "jitter", "inverted", "offset", "good", "half dead"):
        predict, kind, _ = PREDICTORS[name]
        assert diagnose(scale * targets, scale * predict(targets, noise))[0].kind == kind


def test_what_has_blown_up_warns_of_nothing():
    targets, noise = np.random.default_rng(4).standard_normal((2, 100))
    for predictions, kind in ((1e149 * noise, "diverged"), (np.full(100, 1e149), "dead")):
        (found,) = diagnose(targets, predictions, targets, predictions, bayes_r2=0.5)
        assert found.kind == kinds(targets, predictions[None], np.arange(100) < 50, 0.5).kind[0] == kind


def test_any_real_type_is_read():
    targets = np.arange(60)
    for kind in (np.int8, np.uint16, np.float16, np.float32, ">f8", object):
        assert diagnose(targets.astype(kind), targets.astype(kind))[0].kind == "none"
    assert diagnose(targets.tolist(), targets[:, None])[0].r2 == 1
    assert diagnose(targets, np.ma.masked_array(targets))[0].r2 == 1


REFUSED = {
    "predictions has shape (3,); it must be": ([1, 2, 3, 4], [1, 2, 3]),
    "predictions has shape (2, 3); it must be": (np.ones((2, 2)), np.ones((2, 3))),
    "targets has 1 row; it must have at least 2": ([1.0], [1.0]),
    "targets has 0 rows; it must have at least 2": ([], []),
    "targets is 4 in every row of coordinate 1; it must vary": ([[1, 4], [2, 4]], [[1, 4], [2, 4]]),
    "predictions is nan in row 1 (from 0), coordinate 0; it must be finite": ([1.0, 2], [1, np.nan]),
    "targets is inf in row 0": ([np.inf, 2], [1, 2]),
    "predictions is 1e+200 in row 0": ([1, 2], [1e200, 2]),
    "targets is of type <U1; it must be real numbers": (["a", "b"], [1, 2]),
    "predictions is of type complex128": ([1, 2], [1j, 2]),
    "targets has shape (1, 1, 2); it must be (n,) or (n, d)": ([[[1, 2]]], [[[1, 2]]]),
    "targets has shape (); it must be": (1.0, 1.0),
    "targets has shape (2, 0)": (np.ones((2, 0)), np.ones((2, 0))),
    "targets has rows of different lengths": ([[1], [1, 2]], [1, 2]),
    "train_targets is missing": ([1, 2], [1, 2], None, [1, 2]),
    "train_predictions has shape (3,)": ([1, 2], [1, 2], [1, 2], [1, 2, 3]),
    "train_targets has 2 columns; it must have 1": ([1, 2], [1, 2], [[1, 2], [2, 3]], [[1, 2], [2, 3]]),
    "train_targets is 3 in every row": ([1, 2], [1, 2], [3, 3]),
    "bayes_r2 is 1.5; it must be at most 1": ([1, 2], [1, 2], None, None, 1.5),
    "bayes_r2 has shape (2,); it must be one number or 1": ([1, 2], [1, 2], None, None, [0.1, 0.2]),
    "bayes_r2 is 'a'; it must be": ([1, 2], [1, 2], None, None, "a"),
}


@pytest.mark.parametrize("message", REFUSED)
def test_what_is_refused(message):
    with pytest.raises(ValueError, match="must") as error:
        diagnose(*REFUSED[message])
    assert str(error.value).startswith(message)


@pytest.mark.parametrize(
    ("message", "arguments"),
    [
        ("targets has shape (2, 2)", ([[1, 2], [3, 4]], [[1, 2], [3, 4]])),
        ("targets is constant or not finite", ([1, 1], [[1, 2]])),
        ("targets is constant or not finite", ([1, np.nan], [[1, 2]])),
        ("targets has shape (1,)", ([1], [[1]])),
        ("predictions has shape (2,); it must be (members, 2)", ([1, 2], [1, 2])),
        ("train has shape (3,); it must be (2,) or (1, 2)", ([1, 2], [[1, 2]], [True] * 3)),
        ("bayes_r2 has shape (3,)", ([1, 2], [[1, 2]], None, [0, 0, 0])),
    ],
)
def test_what_is_refused_of_many(message, arguments):
    with pytest.raises(ValueError, match="must") as error:
        kinds(*arguments)
    assert str(error.value).startswith(message)


def test_blocks_of_another_width_are_refused():
    stream = Accumulator()
    stream.update(np.ones((3, 2)), np.ones((3, 2)))
    with pytest.raises(ValueError, match="targets has 3 columns; it must have 2"):
        stream.update(np.ones((3, 3)), np.ones((3, 3)))
    with pytest.raises(ValueError, match=r"nan in row 4 \(from 0\), coordinate 1"):
        stream.update(np.ones((2, 2)), [[1, 1], [1, np.nan]])
