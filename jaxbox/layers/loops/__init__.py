"""Convolution of one member's batch on CPU: a loop over pairs of output pixels, the batch last in memory.

With the batch last, what lies below the kernel is rows of K C B neighbouring numbers, which are copied as they lie into
a core's cache; all that is made of a pair (outputs, gradients of kernel, bias and images) is made there. Patches of all
pixels at once, which XLA gathers number by number, take K^2 / stride^2 times the images' memory and most of the time.
The two pixels of a pair, one below the other, share products (`filters`): 7 for 10 with the thread's kernels.

The transposes cost nothing between layers: XLA lets maps lie as the next loop reads them. Loops have first derivatives
only, backwards; so they are for those who say that they need no others.
"""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from contextvars import ContextVar
from functools import partial
from typing import Any

import jax
from jax import lax
from jax.custom_batching import custom_vmap
from jaxtyping import Array

from jaxbox.layers.loops import pairs
from jaxbox.layers.loops.padding import Bias, Geometry, Images, Kernel, Maps

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
    return _alone(partial(pairs.forward, geometry), otherwise)(images, kernel, bias)


def _convolve_forward(images: Images, kernel: Kernel, bias: Bias, otherwise: Convolve, geometry: Geometry) -> Any:
    return convolve(images, kernel, bias, otherwise, geometry), (images, kernel, bias)


def _convolve_backward(otherwise: Convolve, geometry: Geometry, kept: Any, gradient: Maps) -> Gradients:
    def derived(images: Images, kernel: Kernel, bias: Bias, gradient: Maps) -> Gradients:
        of_images, of_kernel, of_bias = jax.vjp(otherwise, images, kernel, bias)[1](gradient)
        return of_images, of_kernel, of_bias

    return _alone(partial(pairs.backward, geometry), derived)(*kept, gradient)


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
