"""How a convolution is computed: slices and matrix products, so that `jax.vmap` over members gives batched products.

The generic convolution would become a grouped one, which is slow on every backend, and whose gradient
inside a scan XLA leaves uncanonicalised on CPU.
"""

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float

from jaxbox.layers import loops, stride_one
from jaxbox.layers.loops.padding import output_size
from jaxbox.layers.stride_one import Padding

FEW_PIXELS = 36
"""At most this many output pixels are computed one by one. Measured on CPU: it saves a fifth of the thread's step on
images of 16 x 16, and half of its step on windows, which are 5 x 5. Compile time grows with it."""

ONE_PRODUCT_PIXELS = 16
"""Of these few, at most so many get one product each. Of more, all rows of a column that lie alike against the stride:
measured on CPU, the last layer of the thread's windows on images of 32 x 32 takes .75 of the time. For 16 a
step takes .91 on windows and .96 on images, but all that was ever published of 16 x 16 pixels would get other bits. For
6 to 12 a layer takes 1.05 to 1.09 times as long, for 4 1.2 times."""

PATCH_BYTES = 2**20
"""Of all patches of a batch: what a core's cache holds. Larger ones are made one at a time, where `loops` may be
used."""

MOST_UNROLLED = 65_536
"""At most this many pixels of a kernel become one slice of the images each. Tracing takes seconds at this number, and
beyond it would seem to hang; compiling takes longer, minutes for a kernel of 64 x 64 on CPU."""


def axis_padding(size: int, kernel_size: int, stride: int, padding: str) -> Padding:
    """The padding of an axis of `size` pixels, with TensorFlow's meaning of SAME and VALID.

    Raises:
        ValueError: nothing is left of the axis, a VALID kernel being larger.
    """
    if padding == "VALID":
        if kernel_size > size:
            raise ValueError(f"kernel_size {kernel_size} is larger than the {size} pixels that are left")
        return 0, 0
    total = max((-(-size // stride) - 1) * stride + kernel_size - size, 0)
    return total // 2, total - total // 2


def overlaps(size: int, kernel_size: int, stride: int, padding: Padding) -> list[tuple[slice, slice]]:
    """For each output pixel of an axis of `size` pixels, the pixels of the axis below the kernel, and the pixels of the
    kernel above those; padding is left out."""
    starts = [index * stride - padding[0] for index in range(output_size(size, kernel_size, stride, padding))]
    cuts = [(max(start, 0), max(min(start + kernel_size, size), start, 0), start) for start in starts]
    return [(slice(low, high), slice(low - start, high - start)) for low, high, start in cuts]


def convolve(
    images: Float[Array, "B H W C"],
    kernel: Float[Array, "F K K C"],
    stride: int,
    padding: tuple[Padding, Padding],
    bias: Float[Array, " F"] | None = None,
) -> Float[Array, "B h w F"]:
    """Cross-correlation of images with a square kernel; padding of the rows and of the columns. A bias is added.

    Many output pixels: one product of all patches with the kernel, or a loop over them. Few: a product for each, or for
    a column of them, of the part of its patch that lies in the image, since there padding is a large share of the
    patches (half of them where a 4 x 4 map becomes 2 x 2). `stride_one` is for layers of stride 1 with no more features
    than channels.

    Raises:
        ValueError: many output pixels, and a kernel of more than `MOST_UNROLLED` pixels.
    """
    method = _method(images.shape[1:3], kernel, stride, padding)
    if method is _by_patches and loops.allowed() and _patch_bytes(images, kernel, stride, padding) > PATCH_BYTES:
        zeros = jnp.zeros(len(kernel), kernel.dtype)
        by_patches = partial(_with_bias, method, stride, padding)
        return loops.convolve(images, kernel, zeros if bias is None else bias, by_patches, (stride, padding))
    return _with_bias(method, stride, padding, images, kernel, bias)


Method = Callable[[Any, Any, int, tuple[Padding, Padding]], Any]


def _with_bias(
    method: Method,
    stride: int,
    padding: tuple[Padding, Padding],
    images: Float[Array, "B H W C"],
    kernel: Float[Array, "F K K C"],
    bias: Float[Array, " F"] | None,
) -> Float[Array, "B h w F"]:
    maps = method(images, kernel, stride, padding)
    return maps if bias is None else maps + bias[None, None, None]


def _method(
    shape: Sequence[int], kernel: Float[Array, "F K K C"], stride: int, padding: tuple[Padding, Padding]
) -> Method:
    features, size, _, channels = kernel.shape
    pixels = _output_pixels(shape, size, stride, padding)
    if pixels <= FEW_PIXELS:
        return _by_pixel if pixels <= ONE_PRODUCT_PIXELS else _by_phase
    if size**2 > MOST_UNROLLED:
        most = math.isqrt(MOST_UNROLLED)
        raise ValueError(f"kernel_size {size} is more than {most}, the most that can be unrolled for maps of this size")
    return _at_stride_one if stride == 1 < size and features <= channels else _by_patches


def _at_stride_one(
    images: Float[Array, "B H W C"], kernel: Float[Array, "F K K C"], stride: int, padding: tuple[Padding, Padding]
) -> Float[Array, "B h w F"]:
    return stride_one.convolve(images, kernel, padding)


def _output_pixels(shape: Sequence[int], kernel_size: int, stride: int, padding: tuple[Padding, Padding]) -> int:
    return math.prod(output_size(size, kernel_size, stride, zeros) for size, zeros in zip(shape, padding, strict=True))


def _patch_bytes(
    images: Float[Array, "B H W C"], kernel: Float[Array, "F K K C"], stride: int, padding: tuple[Padding, Padding]
) -> int:
    pixels = _output_pixels(images.shape[1:3], kernel.shape[1], stride, padding)
    return len(images) * pixels * kernel[0].size * images.dtype.itemsize


def cost(shape: Sequence[int], kernel_size: int, stride: int, padding: tuple[Padding, Padding]) -> int:
    """How many products of two numbers `convolve` takes for an image of shape (H, W), one channel and one feature."""
    axes = list(zip(shape, padding, strict=True))
    if _output_pixels(shape, kernel_size, stride, padding) > FEW_PIXELS:
        return math.prod(kernel_size * output_size(size, kernel_size, stride, zeros) for size, zeros in axes)
    parts = ([part for part, _ in overlaps(size, kernel_size, stride, zeros)] for size, zeros in axes)
    return math.prod(sum(part.stop - part.start for part in axis) for axis in parts)


def _by_patches(
    images: Float[Array, "B H W C"], kernel: Float[Array, "F K K C"], stride: int, padding: tuple[Padding, Padding]
) -> Float[Array, "B h w F"]:
    batch, height, width, channels = images.shape
    features, size = kernel.shape[:2]
    rows, columns = output_size(height, size, stride, padding[0]), output_size(width, size, stride, padding[1])
    zeros = ((0, 0, 0), (*padding[0], 0), (*padding[1], 0), (0, 0, 0))
    padded = lax.pad(images, jnp.zeros((), images.dtype), zeros)

    def shifted(row: int, column: int) -> Float[Array, "B h w C"]:
        stop = (batch, row + (rows - 1) * stride + 1, column + (columns - 1) * stride + 1, channels)
        return lax.slice(padded, (0, row, column, 0), stop, (1, stride, stride, 1))

    patches = jnp.concatenate([shifted(row, column) for row in range(size) for column in range(size)], axis=-1)
    product = patches.reshape(-1, size * size * channels) @ kernel.reshape(features, -1).T
    return product.reshape(batch, rows, columns, features)


def _by_pixel(
    images: Float[Array, "B H W C"], kernel: Float[Array, "F K K C"], stride: int, padding: tuple[Padding, Padding]
) -> Float[Array, "B h w F"]:
    features, size = kernel.shape[:2]
    outputs = []
    for image_rows, kernel_rows in overlaps(images.shape[1], size, stride, padding[0]):
        # Rows are cut before columns: the gradient then adds up windows within a band, and bands after that.
        band, band_kernel = images[:, image_rows], kernel[:, kernel_rows]
        windows = [
            (band[:, :, image_columns], band_kernel[:, :, kernel_columns])
            for image_columns, kernel_columns in overlaps(images.shape[2], size, stride, padding[1])
        ]
        outputs += [part.reshape(len(part), -1) @ weights.reshape(features, -1).T for part, weights in windows]
    return _side_by_side(outputs, len(images), output_size(images.shape[1], size, stride, padding[0]))


def _by_phase(
    images: Float[Array, "B H W C"], kernel: Float[Array, "F K K C"], stride: int, padding: tuple[Padding, Padding]
) -> Float[Array, "B h w F"]:
    columns = overlaps(images.shape[2], kernel.shape[1], stride, padding[1])
    outputs = [_column(images[:, :, below], kernel[:, :, own], stride, padding[0]) for below, own in columns]
    rows = [column.reshape(-1, len(kernel)) for column in outputs]
    return _side_by_side(rows, len(images), outputs[0].shape[1])


def _column(
    images: Float[Array, "B H k C"], kernel: Float[Array, "F K k C"], stride: int, padding: Padding
) -> Float[Array, "B h F"]:
    """A column of outputs. Rows of the images and of the kernel that ever meet are those of one phase against the
    stride: one product has all of them. What an image's row adds to consecutive outputs then lies together, upwards."""
    count = output_size(images.shape[1], kernel.shape[1], stride, padding)
    outputs = jnp.zeros((len(images), count, len(kernel)), images.dtype)
    for first in range(min(stride, kernel.shape[1])):
        phase = (first - padding[0]) % stride
        rows, upwards = images[:, phase::stride], jnp.swapaxes(kernel[:, first::stride][:, ::-1], 0, 1)
        weights = upwards.reshape(upwards.shape[0] * upwards.shape[1], -1)
        products = rows.reshape(-1, weights.shape[1]) @ weights.T
        products = products.reshape(*rows.shape[:2], *upwards.shape[:2])
        lowest = (phase + padding[0]) // stride
        for row, added in enumerate(jnp.unstack(products, axis=1)):
            before = lowest + row - len(upwards) + 1
            zeros = (0, 0, 0), (before, count - before - len(upwards), 0), (0, 0, 0)
            outputs += lax.pad(added, jnp.zeros((), added.dtype), zeros)
    return outputs


def _side_by_side(pixels: Sequence[Float[Array, "n F"]], batch: int, height: int) -> Float[Array, "B h w F"]:
    """Maps of pixels that come in their order.

    XLA on CPU joins along the last axis by copying. Along another it would pick the parts number by number in whatever
    reads them: .5 instead of .1 ms, the look-up of a batch's windows, 5 x 5 x 64, in a table of 64 of them.
    """
    return jnp.concatenate(pixels, axis=1).reshape(batch, height, -1, pixels[0].shape[1])
