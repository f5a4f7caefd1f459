"""What sides train: jaxbox's own arrays, written and read unchanged, its batches and what follows them."""

import compiled
import jax
import jax.numpy as jnp
import numpy as np

from jaxbox.bench import making, problem
from jaxbox.training import member, sampling


def test_problem_holds_what_a_linear_member_trains_on(configurations):
    """Three steps of gradient descent in NumPy, on the problem's arrays, have the losses of member.train."""
    configuration, seed = configurations["linear"], 1
    made = making.make(configuration, 2)
    kernel, bias = (array.astype(np.float64) for array in made.layers[seed][0])
    state, seeds = compiled.initialize(configuration, jnp.uint32(seed)), jnp.uint32(seed)
    data = sampling.prepare(configuration, seeds, jnp.int32(0))
    for step, index in enumerate(made.first_batches[seed]):
        images = made.images[index].reshape(len(index), -1)
        errors = images @ kernel.T + bias - made.targets[index]
        last = jnp.int32(step + 1)
        state, data, measures = member.train(configuration, state, data, seeds, jnp.int32(step), last)
        np.testing.assert_allclose(np.mean(errors**2), measures["loss"], rtol=1e-5)
        kernel -= 0.1 * errors.T @ images / len(index)
        bias -= 0.1 * errors.mean(axis=0)


def test_images_of_a_scene_that_draws_are_those_of_each_seed(configurations):
    """Step by step, the loss of a linear network on stored images is that of member.train on those that it draws."""
    configuration, seed = configurations["drawn"], 1
    made = making.make(configuration, 2)
    assert (len(made.images), len(made.targets)) == (2 * 64, 2 * 64)
    state, seeds = compiled.initialize(configuration, jnp.uint32(seed)), jnp.uint32(seed)
    data = sampling.prepare(configuration, seeds, jnp.int32(0))
    *_, measures = member.train(configuration, state, data, seeds, jnp.int32(0), jnp.int32(1))
    kernel, bias = made.layers[seed][0]
    index = made.first_batches[seed][0]
    outputs = made.images[index].reshape(len(index), -1).astype(float) @ kernel.T + bias
    np.testing.assert_allclose(np.mean((outputs - made.targets[index]) ** 2), measures["loss"], rtol=1e-5)
    np.testing.assert_array_equal(np.sort(np.concatenate(made.examples)), np.arange(2 * 64))


def test_large_training_sets_are_stored_of_fewer_seeds(configurations, monkeypatch):
    monkeypatch.setattr(making, "MOST_BYTES", 2 * 64 * 9 * 8 * 3 * 4 - 1)
    assert len(making.make(configurations["drawn"], 2).layers) == 1


def test_a_saved_problem_is_loaded_unchanged(configurations, tmp_path):
    made = making.make(configurations["cnn"], 2)
    made.save(tmp_path)
    loaded = problem.Problem.load(tmp_path, configurations["cnn"])
    assert loaded.configuration == made.configuration
    arrays = ("images", "targets", "examples", "first_batches", "layers")
    jax.tree.map(np.testing.assert_array_equal, *[[getattr(one, name) for name in arrays] for one in (made, loaded)])
    assert [kernel.shape for kernel, _ in loaded.layers[1]] == [(3, 3, 3, 1), (4, 3, 3, 3), (2, 3 * 2 * 4)]


def test_layers_that_end_in_maps_are_in_their_order_and_one_has_no_bias(configurations):
    coordinates, heat = (making.make(configurations[name], 1).layers[0] for name in ("coordconv", "soft_argmax"))
    assert [kernel.shape for kernel, _ in coordinates] == [(3, 1, 1, 3), (4, 3, 3, 3), (2, 3, 3, 4)]
    assert [(kernel.shape, bias.shape) for kernel, bias in heat] == [((3, 4, 4, 1), (3,)), ((1, 4, 4, 3), (0,))]


def test_batches_begin_with_jaxbox_s_and_go_on_with_whole_shuffles(configurations):
    made = making.make(configurations["mlp"], 1)
    batches = problem.Batches(made, 0)
    taken = np.concatenate([batches.take(count) for count in (1, 2, 3, 5)])
    np.testing.assert_array_equal(taken[:3], made.first_batches[0])
    for epoch in (taken[3:7], taken[7:11]):
        np.testing.assert_array_equal(np.sort(epoch.ravel()), np.sort(made.examples[0]))


def test_members_beyond_the_seeds_at_hand_are_copies(configurations):
    made = making.make(configurations["mlp"], 2).copies(5)
    assert [np.array_equal(made.examples[member], made.examples[0]) for member in range(5)] == [1, 0, 1, 0, 1]
