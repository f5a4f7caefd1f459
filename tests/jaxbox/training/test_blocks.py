"""A batch's gradient in blocks: against the gradients of single images, and which networks take a batch whole."""

import dataclasses

import compiled
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxbox.config import Configuration, Data, Model, Task
from jaxbox.training import blocks, member

NOISY = Task(10, 9, 3, noise="white", noise_level=0.3)
SOFT = Configuration(NOISY, Model("soft_argmax", features=(6,), kernel_size=3), data=Data(train_size=48), batch_size=48)
COORD = dataclasses.replace(SOFT, model=Model("coordconv", features=(4, 6), kernel_size=3))


def network_of(configuration):
    return member.merge(configuration, compiled.initialize(configuration, jnp.uint32(0)).weights)


def images_per_block(configuration, count=48, **fields):
    configuration = dataclasses.replace(configuration, model=dataclasses.replace(configuration.model, **fields))
    images = jnp.zeros((count, 10, 9, 1))
    return blocks.images_per_block(configuration, network_of(configuration), images)


@pytest.mark.parametrize(
    "configuration", [pytest.param(SOFT, marks=pytest.mark.slow), COORD], ids=["soft_argmax", "coordconv"]
)
def test_blocks_add_up_to_the_mean_of_single_images_gradients(configuration, monkeypatch):
    random = np.random.default_rng(0)
    images = jnp.asarray(random.normal(size=(48, 10, 9, 1)), jnp.float32)
    targets = jnp.asarray(random.normal(size=(48, 2)), jnp.float32)
    params = compiled.initialize(configuration, jnp.uint32(3)).params

    def loss(params, batch):
        outputs = member.merge(configuration, member.Weights(params, {}))(batch[0])
        return jnp.square(outputs - batch[1]).mean(), {}

    def alone(image, target):
        return jax.grad(lambda params: loss(params, (image[None], target[None]))[0])(params)

    # One block would be as good as the whole: here there are 4.
    monkeypatch.setattr(blocks, "BLOCK_BYTES", 12 * network_of(configuration).bytes_per_image)
    size = blocks.images_per_block(configuration, network_of(configuration), images)
    assert size == 12
    (value, kept), gradient = jax.jit(lambda p, e: blocks.loss_and_gradient(loss, p, e, size))(
        params, (images, targets)
    )
    single = jax.tree.map(lambda leaf: np.asarray(leaf, float), jax.jit(jax.vmap(alone))(images, targets))
    assert kept == {}
    assert value == pytest.approx(float(jax.jit(loss)(params, (images, targets))[0]), rel=1e-5)
    for found, each in zip(jax.tree.leaves(gradient), jax.tree.leaves(single), strict=True):
        # What rounding does to a sum of as many numbers as an image has pixels, times those of an image, and a few more.
        limit = 100 * np.finfo(np.float32).eps * np.abs(each).mean(axis=0).max()
        np.testing.assert_allclose(found, each.mean(axis=0), rtol=0, atol=limit)


def test_a_block_is_as_large_as_the_cache(monkeypatch):
    monkeypatch.setattr(blocks, "BLOCK_BYTES", 4 * 10 * 9 * 9 * 6 * 20)  # 20 images of the layer with 6 of 6 channels
    assert images_per_block(SOFT, features=(6, 6)) == 16
    assert images_per_block(SOFT, count=16, features=(6, 6)) == 0  # they are one block
    assert images_per_block(SOFT, count=47, features=(6, 6)) == 0  # a prime number


def test_networks_in_which_images_meet_or_calls_draw_take_the_batch_whole(monkeypatch):
    monkeypatch.setattr(blocks, "BLOCK_BYTES", 1)
    assert images_per_block(COORD) == 1
    assert images_per_block(COORD, normalization="layer") == 1
    assert images_per_block(COORD, normalization="batch") == 0
    assert images_per_block(COORD, dropout="units", dropout_rate=0.5) == 0
    assert images_per_block(dataclasses.replace(COORD, model=Model("cnn"))) == 0


def test_a_normalisation_of_ones_own_takes_the_batch_whole(tmp_path, monkeypatch):
    monkeypatch.setattr(blocks, "BLOCK_BYTES", 1)
    own = tmp_path / "own.py"
    own.write_text(
        "from flax import nnx\n"
        "class Centred(nnx.Module):\n"
        "    def __init__(self, units): pass\n"
        "    def __call__(self, values): return values - values.mean(0)\n"
    )
    assert images_per_block(COORD, normalization=f"{own}:Centred") == 0


def test_windows_take_the_batch_whole(monkeypatch):
    monkeypatch.setattr(blocks, "BLOCK_BYTES", 1)
    assert blocks.images_per_block(SOFT, network_of(SOFT), object()) == 0
