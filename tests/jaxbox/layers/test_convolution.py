"""Convolution against lax, with rounding bounds."""

from functools import partial

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from jaxbox.layers import convolution, first_derivatives_only

# (height, width, kernel size, stride, padding): even, odd, rectangles, kernels of 1, kernels larger than the image;
# few output pixels and, with stride 1 and in the larger images, many.
CASES = [
    (8, 8, 5, 2, "SAME"),
    (7, 7, 3, 1, "SAME"),
    (7, 7, 3, 2, "VALID"),
    (11, 10, 3, 2, "SAME"),
    (10, 11, 2, 2, "VALID"),
    (9, 6, 2, 1, "SAME"),
    (9, 6, 2, 2, "SAME"),
    (5, 8, 4, 1, "VALID"),
    (5, 8, 4, 2, "SAME"),
    (4, 4, 1, 1, "SAME"),
    (5, 4, 1, 2, "VALID"),
    (3, 2, 5, 1, "SAME"),
    (3, 2, 5, 2, "SAME"),
    (1, 6, 3, 2, "SAME"),
    (11, 13, 2, 3, "SAME"),
    (13, 9, 7, 3, "VALID"),
]
NAMES = [f"{case[0]}x{case[1]} kernel {case[2]} stride {case[3]} {case[4]}" for case in CASES]
CONVOLUTIONS = pytest.mark.parametrize(("height", "width", "kernel_size", "stride", "padding"), CASES, ids=NAMES)
UNIT_ROUNDOFF = float(jnp.finfo(jnp.float32).eps) / 2


@partial(jax.jit, static_argnums=(2, 3))
def reference(images, kernel, stride, padding):
    return lax.conv_general_dilated(
        images, kernel, (stride, stride), padding, dimension_numbers=("NHWC", "OHWI", "NHWC")
    )


def normal(seed, *shape):
    return jnp.asarray(np.random.default_rng(seed).standard_normal(shape, np.float32))


def assert_equal_sums(ours, theirs, magnitudes, terms):
    """Two sums of products in any order differ by at most 2 n u / (1 - n u) times the sum of magnitudes, n terms
    (Higham, Accuracy and Stability of Numerical Algorithms, section 3.1)."""
    bound = 2 * terms * UNIT_ROUNDOFF / (1 - terms * UNIT_ROUNDOFF) * np.asarray(magnitudes)
    assert ours.shape == theirs.shape
    assert ours.dtype == theirs.dtype == jnp.float32
    assert (np.abs(np.asarray(ours) - np.asarray(theirs)) <= bound).all()


def ours_of(stride, padding):
    """`convolution.convolve` with the padding's name, as `reference` has it."""

    def convolve(images, kernel):
        zeros = [convolution.axis_padding(size, kernel.shape[1], stride, padding) for size in images.shape[1:3]]
        return convolution.convolve(images, kernel, stride, tuple(zeros))

    return convolve


@partial(jax.jit, static_argnums=0)
def with_gradients(convolve, images, kernel):
    """Outputs, and the gradients of the sum of their sines."""
    output, pull = jax.vjp(convolve, images, kernel)
    return output, *pull(jnp.cos(output))


@CONVOLUTIONS
def test_convolve_and_its_gradients_equal_the_generic_convolution(height, width, kernel_size, stride, padding):
    assert_equal(height, width, kernel_size, stride, padding, channels=2, features=4)


@CONVOLUTIONS
def test_rows_that_meet_in_one_product_give_the_generic_convolution(
    height, width, kernel_size, stride, padding, monkeypatch
):
    monkeypatch.setattr(convolution, "ONE_PRODUCT_PIXELS", 0)
    assert_equal(height, width, kernel_size, stride, padding, channels=2, features=4)


@pytest.mark.parametrize(("height", "width"), [(11, 10), pytest.param(19, 14, marks=pytest.mark.slow)])
@pytest.mark.parametrize(("kernel_size", "stride"), [(5, 2), (3, 3), (2, 3), (4, 1)])
@pytest.mark.parametrize("padding", ["SAME", "VALID"])
def test_patches_that_leave_the_cache_are_convolved_in_a_loop_to_the_same(
    height, width, kernel_size, stride, padding, monkeypatch
):
    monkeypatch.setattr(convolution, "FEW_PIXELS", 0)
    monkeypatch.setattr(convolution, "PATCH_BYTES", 0)
    both = normal(0, 3, height, width, 2), normal(1, 4, kernel_size, kernel_size, 2)
    assert "while" not in jax.jit(ours_of(stride, padding)).lower(*both).as_text()
    with first_derivatives_only():
        assert "while" in jax.jit(ours_of(stride, padding)).lower(*both).as_text()
        assert_equal(height, width, kernel_size, stride, padding, channels=2, features=4)


def test_the_loop_adds_the_bias_and_sums_its_gradient(monkeypatch):
    monkeypatch.setattr(convolution, "PATCH_BYTES", 0)
    images, kernel, bias, weights = normal(0, 3, 17, 15, 2), normal(1, 4, 3, 3, 2), normal(2, 4), normal(3, 3, 9, 8, 4)
    zeros = [convolution.axis_padding(size, 3, 2, "SAME") for size in (17, 15)]

    def loss(bias):
        return jnp.vdot(weights, convolution.convolve(images, kernel, 2, tuple(zeros), bias) ** 2)

    with first_derivatives_only():
        assert "while" in jax.jit(loss).lower(bias).as_text()
        value, gradient = jax.jit(jax.value_and_grad(loss))(bias)
    maps = np.asarray(reference(images, kernel, 2, "SAME"), np.float64) + np.asarray(bias, np.float64)
    # Of 864 terms of some 20 each; u times the root of their number, thirty times over.
    np.testing.assert_allclose(value, (weights * maps**2).sum(), atol=20 * 864**0.5 * 30 * UNIT_ROUNDOFF)
    expected = (2 * weights * maps).sum(axis=(0, 1, 2))
    np.testing.assert_allclose(gradient, expected, atol=20 * 216**0.5 * 30 * UNIT_ROUNDOFF)


@pytest.mark.parametrize("shared", [True, False])
def test_members_of_a_vmap_are_not_convolved_in_a_loop(shared, monkeypatch):
    monkeypatch.setattr(convolution, "PATCH_BYTES", 0)
    images, kernels = normal(0, 3, 2, 17, 15, 2), normal(1, 3, 4, 3, 3, 2)

    both = partial(with_gradients, ours_of(2, "SAME"))
    axes = (None, 0) if shared else (0, 0)
    with first_derivatives_only():
        together = jax.jit(jax.vmap(both, axes)).lower(images[0] if shared else images, kernels)
    assert "while" not in together.as_text()
    found = together.compile()(images[0] if shared else images, kernels)
    for member in range(3):
        own = images[0 if shared else member]
        alone = with_gradients(lambda a, b: reference(a, b, 2, "SAME"), own, kernels[member])
        # A weight's gradient is a sum of 144 products of size about 1 each; its error is 10 u times the root of it.
        chex.assert_trees_all_close(jax.tree.map(lambda leaf, m=member: leaf[m], found), alone, rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize(("kernel_size", "features"), [(2, 2), (3, 3), (4, 2), (4, 3)])
@pytest.mark.parametrize("padding", ["SAME", "VALID"])
def test_stride_1_with_no_more_features_than_channels_does_so_too(kernel_size, features, padding):
    assert_equal(10, 11, kernel_size, 1, padding, channels=3, features=features)


@pytest.mark.parametrize("features", [1, 2])
def test_derivatives_of_stride_1_are_those_of_the_generic_convolution_forwards_and_twice(features):
    images, kernel = normal(0, 2, 8, 9, 2), normal(1, features, 3, 3, 2)
    along = normal(2, *images.shape), normal(3, *kernel.shape)

    def derivatives(convolve):
        def curve(t):
            return jnp.sin(convolve(images + t * along[0], kernel + t * along[1])).sum()

        return jax.jvp(curve, (0.0,), (1.0,))[1], jax.jvp(jax.grad(curve), (0.0,), (1.0,))[1]

    ours, theirs = (
        jax.jit(partial(derivatives, each))() for each in (ours_of(1, "SAME"), lambda a, b: reference(a, b, 1, "SAME"))
    )
    # Sums of 288 sines of sums of 18 products, and of squares of such sums, which come to some thousands: 300 u of them.
    np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=0.02)


def assert_equal(height, width, kernel_size, stride, padding, channels, features):
    batch = 3
    images, kernel = normal(0, batch, height, width, channels), normal(1, features, kernel_size, kernel_size, channels)

    @jax.jit
    def compare(images, kernel):
        theirs, their_gradients = jax.vjp(lambda a, b: reference(a, b, stride, padding), images, kernel)
        cotangent = jax.random.normal(jax.random.key(2), theirs.shape)
        ours, our_gradients = jax.vjp(ours_of(stride, padding), images, kernel)
        sizes, gradient_sizes = jax.vjp(lambda a, b: reference(a, b, stride, padding), abs(images), abs(kernel))
        ours, theirs = (ours, *our_gradients(cotangent)), (theirs, *their_gradients(cotangent))
        return ours, theirs, (sizes, *gradient_sizes(abs(cotangent)))

    ours, theirs, sizes = compare(images, kernel)
    per_output, per_pixel = kernel_size**2 * channels, kernel_size**2 * features
    per_weight = batch * ours[0].shape[1] * ours[0].shape[2]
    for *both, size, terms in zip(ours, theirs, sizes, (per_output, per_pixel, per_weight), strict=True):
        assert_equal_sums(*both, size, terms)


@pytest.mark.parametrize(("height", "width", "stride", "padding"), [(6, 5, 2, "SAME"), (5, 7, 1, "VALID")])
def test_members_of_a_vmap_are_convolved_each_with_its_own_kernel(height, width, stride, padding):
    images, kernels = normal(0, 3, 2, height, width, 2), normal(1, 3, 4, 3, 3, 2)

    both = partial(with_gradients, ours_of(stride, padding))
    together = jax.jit(jax.vmap(both))(images, kernels)
    for member in range(3):
        alone = with_gradients(lambda a, b: reference(a, b, stride, padding), images[member], kernels[member])
        ours = jax.tree.map(lambda leaf, member=member: leaf[member], together)
        # At most 60 products of size about 1, through one more smooth function: 60 u is 4e-6.
        chex.assert_trees_all_close(ours, alone, rtol=1e-5, atol=3e-5)


@CONVOLUTIONS
def test_axis_padding_is_what_lax_pads(height, width, kernel_size, stride, padding):
    before = lax.padtype_to_pads((height, width), (kernel_size,) * 2, (stride,) * 2, padding)
    for size, pads in zip((height, width), before, strict=True):
        assert convolution.axis_padding(size, kernel_size, stride, padding) == tuple(pads)
    theirs = jax.eval_shape(
        lambda a, b: reference(a, b, stride, padding),
        jnp.zeros((1, height, width, 1)),
        jnp.zeros((1, kernel_size, kernel_size, 1)),
    )
    ours = [
        convolution.output_size(size, kernel_size, stride, pads)
        for size, pads in zip((height, width), before, strict=True)
    ]
    assert (1, *ours, 1) == theirs.shape


@CONVOLUTIONS
def test_the_cost_is_the_number_of_products(height, width, kernel_size, stride, padding):
    zeros = [convolution.axis_padding(size, kernel_size, stride, padding) for size in (height, width)]
    # A convolution of ones with ones counts the pixels under each kernel; zeros count where patches are copied whole.
    kernel = np.ones((1, kernel_size, kernel_size, 1), np.float32)
    inside = np.asarray(reference(np.ones((1, height, width, 1), np.float32), kernel, stride, padding))
    expected = inside.sum() if inside.size <= convolution.FEW_PIXELS else inside.size * kernel_size**2
    assert convolution.cost((height, width), kernel_size, stride, tuple(zeros)) == expected


def test_negative_padding_cuts_pixels_off():
    images, kernel = normal(0, 2, 6, 5, 2), normal(1, 3, 2, 2, 2)
    ours = jax.jit(convolution.convolve, static_argnums=(2, 3))(images, kernel, 1, ((-1, 0), (1, -2)))
    theirs = reference(images[:, 1:, :3], kernel, 1, ((0, 0), (1, 0)))
    # 8 products of size about 1: 16 u is 1e-6.
    np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=5e-6)


def test_valid_refuses_a_kernel_larger_than_the_image():
    with pytest.raises(ValueError, match="kernel_size 5 is larger than the 4 pixels"):
        convolution.axis_padding(4, 5, 1, "VALID")


def shapes_of(size, kernel_size, padding):
    images, kernel = jnp.zeros((1, size, size, 1)), jnp.zeros((1, kernel_size, kernel_size, 1))
    return jax.eval_shape(ours_of(1, padding), images, kernel).shape


def test_a_kernel_that_cannot_be_unrolled_is_refused():
    with pytest.raises(ValueError, match="kernel_size 300 is more than 256, the most that can be unrolled"):
        shapes_of(300, 300, "SAME")
    # A single output pixel is one product, however large the kernel.
    assert shapes_of(300, 300, "VALID") == (1, 1, 1, 1)


def test_the_largest_kernel_is_allowed(monkeypatch):
    monkeypatch.setattr(convolution, "MOST_UNROLLED", 9)
    assert shapes_of(8, 3, "SAME") == (1, 8, 8, 1)
    with pytest.raises(ValueError, match="kernel_size 4 is more than 3"):
        shapes_of(8, 4, "SAME")
