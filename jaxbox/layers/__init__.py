"""The layers that models are made of. A batch is images or windows, and every layer takes either.

conv.py, dense.py and head.py are the layers, hidden.py what follows each (activation.py, normalization.py, pooling.py,
dropout.py), start.py their first values, and coordinates.py where pixels are; convolution.py is how a convolution of
images is computed (stride_one.py, loops/), and windows/ how layers work on windows.
"""

from jaxbox.layers.activation import Activation, Extent, Inside, LitUnits, lit_units, looking_inside
from jaxbox.layers.batch import Batch
from jaxbox.layers.conv import Conv, bytes_per_image, output_size
from jaxbox.layers.coordinates import add_coordinates, mean_place
from jaxbox.layers.dense import Dense
from jaxbox.layers.head import Head
from jaxbox.layers.hidden import Hidden
from jaxbox.layers.loops import first_derivatives_only
from jaxbox.layers.start import Start
from jaxbox.layers.windows.windowed import Windowed

__all__ = [
    "Activation",
    "Batch",
    "Conv",
    "Dense",
    "Extent",
    "Head",
    "Hidden",
    "Inside",
    "LitUnits",
    "Start",
    "Windowed",
    "add_coordinates",
    "bytes_per_image",
    "first_derivatives_only",
    "lit_units",
    "looking_inside",
    "mean_place",
    "output_size",
]
