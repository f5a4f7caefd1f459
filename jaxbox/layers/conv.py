"""The convolutional layer, of images or of windows."""

from collections.abc import Sequence

import jax
from flax import nnx

from jaxbox.config import Task
from jaxbox.layers import convolution
from jaxbox.layers.batch import Batch
from jaxbox.layers.start import GLOROT, Start
from jaxbox.layers.windows import products
from jaxbox.layers.windows import windowed as windows
from jaxbox.layers.windows.windowed import Windowed


def output_size(size: int, kernel_size: int, stride: int, padding: str) -> int:
    """Pixels of an axis of `size` pixels after a convolution; padding is SAME or VALID, as in TensorFlow.

    Raises:
        ValueError: nothing is left of the axis.
    """
    zeros = convolution.axis_padding(size, kernel_size, stride, padding)
    return convolution.output_size(size, kernel_size, stride, zeros)


def bytes_per_image(task: Task, convolutions: Sequence["Conv"]) -> int:
    """What the largest of these layers of stride 1 takes for one image, in float32: a network that says it treats every
    image by itself (see `jaxbox.training.blocks`)."""
    return 4 * task.height * task.width * max(convolution.patch_size for convolution in convolutions)


class Conv(nnx.Module):
    """Strided convolution, with bias: (B, H, W, C) -> (B, h, w, F), with a kernel (F, K, K, C).

    The kernel keeps its features first and what is summed over last, so that gradients are products of row-major
    matrices as they lie: for a layer of 2 features that is four to seven times faster on CPU.

    Args:
        channels: C, of the images or maps.
        features: F, of the maps that come out.
        kernel_size: K, side of the kernel in pixels.
        stride: in pixels, along both axes.
        padding: SAME or VALID, as in TensorFlow.
        rngs: the stream `params` draws the first values.
        start: how; Glorot-uniform kernel and zero bias if left out.
        biased: whether there is a bias.

    `patch_size` is how many numbers a pixel takes while a convolution of stride 1 is computed.
    """

    def __init__(
        self,
        channels: int,
        features: int,
        kernel_size: int,
        stride: int,
        padding: str,
        rngs: nnx.Rngs,
        start: Start = GLOROT,
        biased: bool = True,
    ):
        kernel, bias = start.draw(rngs.params(), (features, kernel_size, kernel_size, channels))
        self.kernel, self.bias = nnx.Param(kernel), nnx.Param(bias) if biased else None
        self.stride, self.padding = stride, padding
        self.scope = f"layer_conv_{channels}_to_{features}"
        self.patch_size = kernel_size**2 * min(channels, features)

    def __call__(self, batch: Batch) -> Batch:
        """The maps (B, h, w, F) of images or maps (B, H, W, C). Windows stay windows where that saves products.

        Raises:
            ValueError: nothing is left of the images, or the kernel is too large to be unrolled.
        """
        with jax.named_scope(self.scope):
            return self._convolved(batch)

    def _convolved(self, batch: Batch) -> Batch:
        kernel = self.kernel[...]
        rows, columns = (
            convolution.axis_padding(size, kernel.shape[1], self.stride, self.padding) for size in batch.shape[1:3]
        )
        if isinstance(batch, Windowed):
            if products.saves(batch, kernel.shape[1], self.stride, (rows, columns)):
                convolved = products.convolve(batch, kernel, self.stride, (rows, columns))
                return convolved if self.bias is None else windows.add_bias(convolved, self.bias[...])
            batch = windows.render(batch)
        bias = None if self.bias is None else self.bias[...]
        return convolution.convolve(batch, kernel, self.stride, (rows, columns), bias)
