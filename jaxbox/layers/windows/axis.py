"""One axis of a windowed map: where windows lie, and which of them are equal. All of it is known before tracing."""

import dataclasses

import numpy as np
from jaxtyping import Int

from jaxbox.layers import convolution
from jaxbox.layers.convolution import Padding


@dataclasses.dataclass(frozen=True, eq=False)
class Axis:
    """The rows or the columns of a map, for every position that the box can have along them.

    A class is a number. Two pixels have the same base, and two positions the same window, if their classes agree
    along both axes.
    """

    base_class: Int[np.ndarray, " pixels"]
    """For each pixel, the class of its base, from 0 on; -1 where it is known to be zero, as outside of the map."""
    start: Int[np.ndarray, " positions"]
    """For each position, the first pixel of its window, which may lie outside of the map."""
    width: int
    """Pixels of a window along this axis."""
    window_class: Int[np.ndarray, " positions"]
    """For each position, the class of its window, from 0 on, once a bias and pointwise functions have been applied."""
    source_class: Int[np.ndarray, " positions"]
    """For each position, the class of its window as the last convolution computed it, before the base below is
    looked at and what lies outside of the map is cut off. Never more classes than `window_class` has."""
    frame_offset: Int[np.ndarray, " positions"]
    """For each position, how many pixels into its frame its window lay in the last convolution, from 0 to stride - 1
    (see `products.convolve`)."""

    @classmethod
    def of_images(
        cls, base_class: Int[np.ndarray, " pixels"], start: Int[np.ndarray, " positions"], width: int
    ) -> "Axis":
        """The axis of images in which every position has the same window, so that there is one class of them."""
        zeros = np.zeros(len(start), int)
        return cls(base_class, start, width, window_class=zeros, source_class=zeros, frame_offset=zeros)

    @property
    def base_class_below(self) -> Int[np.ndarray, "positions width"]:
        """For each position, the base class of each pixel of its window; -1 outside of the map."""
        return _classes_from(self.base_class, self.start, self.width)

    def _below_kernel(self, kernel_size: int, stride: int, padding: Padding) -> Int[np.ndarray, "outputs kernel_size"]:
        outputs = convolution.output_size(len(self.base_class), kernel_size, stride, padding)
        return _classes_from(self.base_class, stride * np.arange(outputs) - padding[0], kernel_size)

    def base_class_below_kernel(
        self, kernel_size: int, stride: int, padding: Padding
    ) -> Int[np.ndarray, "new_classes kernel_size"]:
        """For each base class of `convolved`, the base classes here of the pixels below the kernel; -1 outside."""
        return np.unique(self._below_kernel(kernel_size, stride, padding), axis=0)

    def convolved(self, kernel_size: int, stride: int, padding: Padding) -> "Axis":
        """The same axis of the map that a convolution makes; sizes in pixels, padding as `convolution.axis_padding`."""
        base_class = _number(self._below_kernel(kernel_size, stride, padding))
        # The first output whose kernel reaches the window: (start + zeros before - kernel_size + 1) / stride, up.
        start = -((kernel_size - 1 - padding[0] - self.start) // stride)
        width = (self.width + kernel_size - 2) // stride + 1
        frame_offset = self.start + padding[0] - stride * start - (kernel_size - stride)
        source_class = _number(np.column_stack([self.window_class, frame_offset]))
        window_class = _number(np.column_stack([source_class, _classes_from(base_class, start, width)]))
        return Axis(base_class, start, width, window_class, source_class, frame_offset)


def _classes_from(
    base_class: Int[np.ndarray, " pixels"], starts: Int[np.ndarray, " n"], width: int
) -> Int[np.ndarray, "n width"]:
    """The base classes of `width` pixels from each start on; -1 outside of the map."""
    pixels = starts[:, None] + np.arange(width)
    inside = (pixels >= 0) & (pixels < len(base_class))
    return np.where(inside, base_class[np.clip(pixels, 0, len(base_class) - 1)], -1)


def _number(rows: Int[np.ndarray, "n k"]) -> Int[np.ndarray, " n"]:
    """A number for each row, from 0 on, the same for equal rows."""
    return np.unique(rows, axis=0, return_inverse=True)[1].reshape(-1)
