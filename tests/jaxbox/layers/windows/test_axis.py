"""One axis: how many classes there are, and where windows lie in their frames."""

import numpy as np
import pytest

from jaxbox.layers import convolution
from jaxbox.layers.windows.axis import Axis


def thread_axes(size):
    result = [Axis.of_images(base_class=np.full(size, -1), start=np.arange(size - 4), width=5)]
    for _ in range(3):
        padding = convolution.axis_padding(len(result[-1].base_class), 5, 2, "SAME")
        result.append(result[-1].convolved(5, 2, padding))
    return result


def test_the_number_of_windows_does_not_grow_with_the_image():
    small, large = thread_axes(128), thread_axes(512)
    for few, many in zip(small, large, strict=True):
        assert few.width == many.width == 5
        assert few.window_class.max() == many.window_class.max()
        assert few.source_class.max() == many.source_class.max()
        assert few.base_class.max() == many.base_class.max()


@pytest.mark.parametrize("padding", ["SAME", "VALID"])
@pytest.mark.parametrize(("kernel_size", "stride"), [(5, 2), (3, 1), (2, 3), (1, 2)])
def test_every_window_begins_in_its_frame_and_meets_the_first_kernel(kernel_size, stride, padding):
    images = Axis.of_images(base_class=np.full(17, -1), start=np.arange(13), width=5)
    zeros = convolution.axis_padding(17, kernel_size, stride, padding)
    maps = images.convolved(kernel_size, stride, zeros)
    assert (maps.frame_offset >= 0).all()
    assert (maps.frame_offset < stride).all()
    first_kernel = stride * maps.start - zeros[0]
    np.testing.assert_array_equal(images.start, first_kernel + kernel_size - stride + maps.frame_offset)
    assert (first_kernel + kernel_size > images.start).all()
    assert (first_kernel - stride + kernel_size <= images.start).all()
