"""One axis of a windowed map: where windows lie, and which positions of the box have equal ones. All before tracing."""

import dataclasses

import numpy as np
from jaxtyping import Int

from jaxbox import convolution
from jaxbox.convolution import Padding


@dataclasses.dataclass(frozen=True, eq=False)
class Axis:
    """One axis of a map, for every position that the box can have along it.

    `ground` is -1 where the base is zero, as outside of the map. A window of `width` pixels starts at the pixel
    `corner`, which may lie outside. `product` numbers the windows that the last convolution tells apart, `kind` those
    that differ once the base is added; `shift` is how far into its frame (see `convolve`) the window before it lay.
    """

    ground: Int[np.ndarray, " pixels"]
    corner: Int[np.ndarray, " positions"]
    width: int
    kind: Int[np.ndarray, " positions"]
    product: Int[np.ndarray, " positions"]
    shift: Int[np.ndarray, " positions"]

    @property
    def covered(self) -> Int[np.ndarray, "positions width"]:
        """The ground under each pixel of each window, -1 outside of the map."""
        return _grounds(self.ground, self.corner, self.width)

    def _under(self, kernel_size: int, stride: int, padding: Padding) -> Int[np.ndarray, "outputs kernel_size"]:
        outputs = convolution.output_size(len(self.ground), kernel_size, stride, padding)
        return _grounds(self.ground, stride * np.arange(outputs) - padding[0], kernel_size)

    def under_kernels(self, kernel_size: int, stride: int, padding: Padding) -> Int[np.ndarray, "grounds kernel_size"]:
        """The grounds below the kernel for each new ground of a convolution; -1 outside of the map."""
        return np.unique(self._under(kernel_size, stride, padding), axis=0)

    def convolved(self, kernel_size: int, stride: int, padding: Padding) -> "Axis":
        """The axis of the map that a convolution makes of this one's."""
        ground = _number(self._under(kernel_size, stride, padding))
        # The first output whose kernel reaches the window: (corner + zeros before - kernel_size + 1) / stride, up.
        corner = -((kernel_size - 1 - padding[0] - self.corner) // stride)
        width = (self.width + kernel_size - 2) // stride + 1
        shift = self.corner + padding[0] - stride * corner - (kernel_size - stride)
        product = _number(np.column_stack([self.kind, shift]))
        kind = _number(np.column_stack([product, _grounds(ground, corner, width)]))
        return Axis(ground, corner, width, kind, product, shift)


def _grounds(ground: Int[np.ndarray, " pixels"], starts: Int[np.ndarray, " n"], width: int) -> Int[np.ndarray, "n k"]:
    pixels = starts[:, None] + np.arange(width)
    inside = (pixels >= 0) & (pixels < len(ground))
    return np.where(inside, ground[np.clip(pixels, 0, len(ground) - 1)], -1)


def _number(rows: Int[np.ndarray, "n k"]) -> Int[np.ndarray, " n"]:
    """Numbers from 0 on, the same for equal rows."""
    return np.unique(rows, axis=0, return_inverse=True)[1].reshape(-1)
