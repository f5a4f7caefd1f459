"""Convolution of one member's batch on CPU: a loop over output pixels, the batch last in memory.

With the batch last, what lies below the kernel is K rows of K C B neighbouring numbers, which are copied as they lie
into a core's cache; all that is made of a pixel (outputs, gradients of kernel, bias and images) is made there. Patches
of all pixels at once, which XLA gathers number by number, take K^2 / stride^2 times the images' memory and most of the
time. On 2 cores the thread's step on images takes .87, .73 and .62 of the time that it takes with them at 32 x 32,
64 x 64 and 100 x 100, and compiles in two thirds of it.

The transposes cost nothing between layers: XLA lets maps lie as the next loop reads them. Loops have first derivatives
only, backwards; so they are for those who say that they need no others.
"""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from contextvars import ContextVar
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax
from jax.custom_batching import custom_vmap
from jaxtyping import Array, Float

from jaxbox.layers.stride_one import Padding

Images = Float[Array, "B H W C"]
Kernel = Float[Array, "F K K C"]
Maps = Float[Array, "B h w F"]
Geometry = tuple[int, tuple[Padding, Padding]]
"""Stride, and the padding of rows and columns."""
Bias = Float[Array, " F"]
Convolve = Callable[[Images, Kernel, Bias], Maps]
Gradients = tuple[Images, Kernel, Bias]

_ALLOWED = ContextVar("allowed", default=False)


@contextlib.contextmanager
def first_derivatives_only() -> Iterator[None]:
    """In here convolutions may be computed in loops: they have gradients, but no second or forward derivatives."""
    token = _ALLOWED.set(True)
    try:
        yield
    finally:
        _ALLOWED.reset(token)


def allowed() -> bool:
    """Whether this is in `first_derivatives_only`."""
    return _ALLOWED.get()


@partial(jax.custom_vjp, nondiff_argnums=(3, 4))
def convolve(images: Images, kernel: Kernel, bias: Bias, otherwise: Convolve, geometry: Geometry) -> Maps:
    """Cross-correlation of images with a square kernel, and a number added to each map.

    Args:
        otherwise: the same by other means: for members that are vectorised together, whose loops would gather again,
            and on other backends.
        geometry: stride and padding.
    """
    return _alone(partial(_forward, geometry), otherwise)(images, kernel, bias)


def _convolve_forward(images: Images, kernel: Kernel, bias: Bias, otherwise: Convolve, geometry: Geometry) -> Any:
    return convolve(images, kernel, bias, otherwise, geometry), (images, kernel, bias)


def _convolve_backward(otherwise: Convolve, geometry: Geometry, kept: Any, gradient: Maps) -> Gradients:
    def derived(images: Images, kernel: Kernel, bias: Bias, gradient: Maps) -> Gradients:
        of_images, of_kernel, of_bias = jax.vjp(otherwise, images, kernel, bias)[1](gradient)
        return of_images, of_kernel, of_bias

    return _alone(partial(_backward, geometry), derived)(*kept, gradient)


convolve.defvjp(_convolve_forward, _convolve_backward)


def _alone(function: Callable[..., Any], otherwise: Callable[..., Any]) -> Callable[..., Any]:
    """`function` where it is not vectorised and on CPU, `otherwise` elsewhere."""

    @custom_vmap
    def chosen(*values: Array) -> Any:
        return lax.platform_dependent(*values, cpu=function, default=otherwise)

    @chosen.def_vmap
    def _(size: int, batched: Sequence[bool], *values: Array) -> tuple[Any, Any]:
        results = jax.vmap(otherwise, [0 if each else None for each in batched])(*values)
        return results, jax.tree.map(lambda _: True, results)

    return chosen


def _forward(geometry: Geometry, images: Images, kernel: Kernel, bias: Bias) -> Maps:
    below, (rows, columns) = _padded(geometry, images, kernel)
    weights = kernel.reshape(len(kernel), -1)

    def pixel(_: None, number: Array) -> tuple[None, Float[Array, "F B"]]:
        patch = _patch(geometry, below, kernel, number, columns)
        return None, weights @ patch.reshape(weights.shape[1], -1) + bias[:, None]

    maps = lax.scan(pixel, None, jnp.arange(rows * columns))[1]
    return jnp.transpose(maps.reshape(rows, columns, *maps.shape[1:]), (3, 0, 1, 2))


def _backward(geometry: Geometry, images: Images, kernel: Kernel, bias: Bias, gradient: Maps) -> Gradients:
    below, (rows, columns) = _padded(geometry, images, kernel)
    features, by_pixel = len(kernel), jnp.transpose(gradient, (1, 2, 3, 0)).reshape(rows * columns, len(kernel), -1)
    transposed, ones = kernel.reshape(features, -1).T, jnp.ones(len(images), images.dtype)

    def pixel(number: Array, found: tuple[Array, Array, Array]) -> tuple[Array, Array, Array]:
        of_below, of_kernel, of_bias = found
        own = lax.dynamic_index_in_dim(by_pixel, number, 0, keepdims=False)
        patch = _patch(geometry, below, kernel, number, columns)
        start = _start(geometry, number, columns)
        added = lax.dynamic_slice(of_below, start, patch.shape) + (transposed @ own).reshape(patch.shape)
        of_kernel = of_kernel + own @ patch.reshape(-1, patch.shape[-1]).T
        # A sum over the batch would have XLA turn the whole gradient first; a product takes it as it lies.
        return lax.dynamic_update_slice(of_below, added, start), of_kernel, of_bias + own @ ones

    zeros = jnp.zeros_like(below), jnp.zeros_like(transposed.T), jnp.zeros_like(bias)
    of_below, of_kernel, of_bias = lax.fori_loop(0, rows * columns, pixel, zeros)
    of_images = _padded_by(_margins(geometry, images, kernel, -1), of_below)
    return jnp.transpose(of_images, (3, 0, 1, 2)), of_kernel.reshape(kernel.shape), of_bias


def _padded(geometry: Geometry, images: Images, kernel: Kernel) -> tuple[Float[Array, "h w C B"], tuple[int, int]]:
    """What the kernel meets, the batch last, and how many rows and columns of outputs there are."""
    below = _padded_by(_margins(geometry, images, kernel), jnp.transpose(images, (1, 2, 3, 0)))
    rows, columns = ((pixels - kernel.shape[1]) // geometry[0] + 1 for pixels in below.shape[:2])
    return below, (rows, columns)


def _padded_by(margins: tuple[Padding, Padding], maps: Float[Array, "h w C B"]) -> Float[Array, "H W C B"]:
    zeros = ((*margins[0], 0), (*margins[1], 0), (0, 0, 0), (0, 0, 0))
    return lax.pad(maps, jnp.zeros((), maps.dtype), zeros)


def _margins(geometry: Geometry, images: Images, kernel: Kernel, sign: int = 1) -> tuple[Padding, Padding]:
    """Zeros before and after rows and columns, as many as to fit the kernels exactly; with sign -1 to cut them off."""
    stride, padding = geometry
    margins = []
    for size, (before, after) in zip(images.shape[1:3], padding, strict=True):
        unmet = (size + before + after - kernel.shape[1]) % stride
        margins.append((sign * before, sign * (after - unmet)))
    return margins[0], margins[1]


def _start(geometry: Geometry, number: Array, columns: int) -> tuple[Any, ...]:
    row, column = jnp.divmod(number, columns)
    return geometry[0] * row, geometry[0] * column, 0, 0


def _patch(
    geometry: Geometry, below: Float[Array, "h w C B"], kernel: Kernel, number: Array, columns: int
) -> Float[Array, "K K C B"]:
    """What lies below the kernel of this output pixel."""
    return lax.dynamic_slice(below, _start(geometry, number, columns), (*kernel.shape[1:], below.shape[-1]))
