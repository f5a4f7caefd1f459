"""The layers that models are made of. A batch is images or windows, and every layer takes either.

conv.py, dense.py and activation.py are the layers; convolution.py is how a convolution of images is computed, and
windows/ how layers work on windows.
"""

from jaxbox.layers.activation import Activation, LitUnits, lit_units
from jaxbox.layers.batch import Batch
from jaxbox.layers.conv import Conv, output_size
from jaxbox.layers.dense import Dense
from jaxbox.layers.windows.windowed import Windowed

__all__ = ["Activation", "Batch", "Conv", "Dense", "LitUnits", "Windowed", "lit_units", "output_size"]
