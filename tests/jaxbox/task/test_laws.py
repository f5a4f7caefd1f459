"""Laws of the positions against SciPy and by counting, splits by counting on many seeds, labels by inspection."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from jaxbox import task as tasks
from jaxbox.config import Configuration, Data, Task, replace
from jaxbox.training import sampling

TASK = Task(height=9, width=8, box_size=3)
ROWS, COLUMNS = 7, 6
COUNT = ROWS * COLUMNS
LAWS = {
    "uniform": Data(),
    "beta": Data(law="beta", concentration=3.0),
    "edges": Data(law="beta", concentration=0.5),
    "corner": Data(law="corner", corner_share=0.6),
    "held out": Data(split="held_out", held_out=0.3),
    "beta, held out": Data(law="beta", concentration=2.0, split="held_out", held_out=0.3),
}
EVERYWHERE = jnp.ones(COUNT, bool)


def grid(values):
    return np.asarray(values).reshape(ROWS, COLUMNS)


@pytest.mark.parametrize("concentration", [0.5, 1.0, 3.0, 40.0])
def test_beta_is_scipys_density_at_the_middle_of_each_cell(concentration):
    found = grid(tasks.probability(TASK, Data(law="beta", concentration=concentration)))
    sides = [stats.beta.pdf((np.arange(n) + 0.5) / n, concentration, concentration) for n in (ROWS, COLUMNS)]
    expected = np.outer(*[side / side.sum() for side in sides])
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    assert found.dtype == np.float64


def test_a_concentration_of_one_is_uniform_and_a_large_one_has_the_variance_of_the_distribution():
    np.testing.assert_allclose(tasks.probability(TASK, Data(law="beta", concentration=1.0)), 1 / COUNT, rtol=1e-12)
    wide = Task(height=100, width=100, box_size=1)
    law = tasks.probability(wide, Data(law="beta", concentration=10.0)).reshape(100, 100).sum(0)
    place = (np.arange(100) + 0.5) / 100
    np.testing.assert_allclose(law @ (place - law @ place) ** 2, 1 / 84, rtol=1e-3)


def test_a_share_of_the_corner_law_is_from_one_quadrant_and_the_rest_uniform():
    found = grid(tasks.probability(TASK, LAWS["corner"]))
    inside = np.zeros((ROWS, COLUMNS), bool)
    inside[:4, :3] = True  # the middle row of 7 included
    np.testing.assert_allclose(found[~inside], 0.4 / COUNT, rtol=1e-12)
    np.testing.assert_allclose(found[inside], 0.4 / COUNT + 0.6 / 12, rtol=1e-12)


@pytest.mark.parametrize("concentration", [1e-30, 1e-3, 1e3, 1e30])
def test_no_concentration_overflows(concentration):
    data = Data(law="beta", concentration=concentration)
    for xp in (np, jnp):
        found = np.asarray(tasks.probability(TASK, data, xp))
        assert np.isfinite(found).all()
        np.testing.assert_allclose(found.sum(), 1, rtol=1e-6)


@pytest.mark.parametrize("name", ["beta", "edges", "corner"])
def test_on_the_device_a_law_is_the_same_with_traced_numbers(name):
    def law(concentration, share):
        data = replace(LAWS[name], {"concentration": concentration, "corner_share": share})
        return tasks.probability(TASK, data, jnp)

    found = jax.jit(law)(LAWS[name].concentration, LAWS[name].corner_share)
    assert found.dtype == jnp.float32
    np.testing.assert_allclose(found, tasks.probability(TASK, LAWS[name]), rtol=2e-6)


@pytest.mark.parametrize("name", LAWS)
def test_positions_are_drawn_by_the_law_among_those_that_are_allowed(name):
    data, draws = LAWS[name], 200_000
    allowed = np.asarray(tasks.trainable(TASK, data, jax.random.key(5)))
    index = np.asarray(tasks.draw(TASK, data, jax.random.key(1), draws, jnp.asarray(allowed)))
    counts = np.bincount(index, minlength=COUNT)
    assert not counts[~allowed].any()
    expected = tasks.probability(TASK, data)[allowed]
    # One test of six; 1e-4 / 6 for each makes one false alarm in 10,000 choices of the keys.
    assert stats.chisquare(counts[allowed], draws * expected / expected.sum()).pvalue > 1e-4 / 6


@pytest.mark.parametrize("data", [LAWS["beta, held out"], Data(split="quadrant"), Data(law="corner", corner_share=1.0)])
@pytest.mark.parametrize("size", [0, 40])
def test_no_batch_of_any_seed_has_a_position_that_is_held_out_or_of_probability_0(data, size):
    configuration = Configuration(TASK, data=replace(data, {"train_size": size}), batch_size=20)

    @jax.jit
    @jax.vmap
    def drawn(seed):
        keys, prepared = (
            sampling.keys_of(configuration, seed),
            sampling.prepare(configuration, seed, jnp.int32(0)),
        )
        batches = [sampling.batch(configuration, keys, prepared, jnp.int32(step))[1].index for step in range(4)]
        return jnp.concatenate(batches), tasks.trainable(TASK, data, keys.split), prepared.seen

    index, allowed, seen = map(np.asarray, drawn(jnp.arange(300, dtype=jnp.uint32)))
    allowed = allowed & (tasks.probability(TASK, data) > 0)
    assert np.take_along_axis(allowed, index, 1).all()
    assert not (seen & ~allowed).any() or data.law == "corner", "an endless stream says what its split allows"


def test_each_seed_holds_out_its_own_share_of_the_positions():
    data, keys = LAWS["held out"], jax.random.split(jax.random.key(2), 2000)
    allowed = np.asarray(jax.vmap(lambda key: tasks.trainable(TASK, data, key))(keys))
    assert set((~allowed).sum(1)) == {round(0.3 * COUNT)}
    # Each position is held out in a share of 13/42: sampled without replacement, so a count of each is near binomial.
    counts, share = (~allowed).sum(0), 13 / COUNT
    assert np.abs(counts - 2000 * share).max() < 5 * np.sqrt(2000 * share * (1 - share))


@pytest.mark.parametrize(("share", "left"), [(0.0, COUNT), (1 - 1e-7, 1)])
def test_at_least_one_position_is_left(share, left):
    data = Data(split="held_out", held_out=share)
    assert tasks.trainable(TASK, data, jax.random.key(0)).sum() == left


def test_the_quadrant_is_the_bottom_right_without_middle_lines():
    allowed = grid(tasks.trainable(TASK, Data(split="quadrant"), jax.random.key(0)))
    assert not allowed[4:, 3:].any()
    assert allowed.sum() == COUNT - 3 * 3


def batch_of(data, step=0, seed=3, batch_size=10):
    configuration = Configuration(TASK, data=data, batch_size=batch_size)
    keys, seed = sampling.keys_of(configuration, jnp.uint32(seed)), jnp.uint32(seed)
    prepared = sampling.prepare(configuration, seed, jnp.int32(step))
    return prepared, sampling.batch(configuration, keys, prepared, jnp.int32(step))[1]


def taught(examples):
    draws = tasks.draw_images(TASK, examples.keys)
    return map(np.asarray, tasks.example(TASK, examples.index, draws, False, examples.taught))


def test_shuffled_targets_are_those_of_the_training_set_each_with_another_image():
    data = Data(train_size=10, labels="shuffled")
    prepared, examples = batch_of(data)
    np.testing.assert_array_equal(np.sort(examples.taught.index), np.sort(prepared.examples))
    images, targets = taught(examples)
    np.testing.assert_array_equal(images, tasks.render(TASK, tasks.position(TASK, examples.index)))
    truth = tasks.targets(TASK, tasks.positions(TASK))
    np.testing.assert_allclose(targets, truth[np.asarray(examples.taught.index)], rtol=1e-6)
    # The same pairs in every epoch: they can be learned by heart.
    _, later = batch_of(data, step=1)
    pairs = [sorted(zip(map(int, e.index), map(int, e.taught.index), strict=True)) for e in (examples, later)]
    assert pairs[0] == pairs[1]


@pytest.mark.parametrize("size", [0, 50_000])
def test_shuffled_targets_say_nothing_about_images(size):
    _, examples = batch_of(Data(train_size=size, labels="shuffled"), batch_size=50_000)
    index, label = np.asarray(examples.index), np.asarray(examples.taught.index)
    counts = np.histogram2d(index % COLUMNS, label % COLUMNS, COLUMNS)[0]
    assert stats.chi2_contingency(counts).pvalue > 1e-4


@pytest.mark.parametrize("size", [0, 400])
def test_half_of_the_images_are_flipped_and_their_targets_are_not(size):
    _, examples = batch_of(Data(train_size=size, labels="flipped"), batch_size=400)
    mirrored = np.asarray(examples.taught.mirrored)
    assert abs(mirrored.sum() - 200) < 5 * np.sqrt(100)
    images, targets = taught(examples)
    clean = np.asarray(tasks.render(TASK, tasks.position(TASK, examples.index)))
    np.testing.assert_array_equal(images[mirrored], clean[mirrored, :, ::-1])
    np.testing.assert_array_equal(images[~mirrored], clean[~mirrored])
    np.testing.assert_allclose(targets, tasks.targets(TASK, tasks.positions(TASK))[examples.index], rtol=1e-6)


def test_true_labels_are_left_alone():
    assert batch_of(Data(train_size=10))[1].taught == (None, None)
