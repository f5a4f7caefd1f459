"""The one entry to examples: positions, images, noise, inputs and targets.

Functions of integer positions accept NumPy arrays (and compute in float64, for analysis) or JAX arrays (float32,
inside the compiled step). A new scene is a file in scenes/, a new noise or kind of inputs a function in its file, a new
kind of targets an object in targets/; each has a row in `jaxbox.config.tables`.
"""

from jaxbox.task.examples import Draws, draw_images, example
from jaxbox.task.inputs import Affine, Inputs, input_scale, inputs
from jaxbox.task.labels import Labels, Taught, taught
from jaxbox.task.laws import Law, draw, probability, supported
from jaxbox.task.noises import Noise, apply_noise, draw_noise, observe
from jaxbox.task.positions import draw_index, places, position, position_count, position_shape, positions
from jaxbox.task.rendering import draw_scene, render
from jaxbox.task.splits import Split, trainable
from jaxbox.task.targets import TargetKind, target_kind, targets

__all__ = [
    "Affine",
    "Draws",
    "Inputs",
    "Labels",
    "Law",
    "Noise",
    "Split",
    "TargetKind",
    "Taught",
    "apply_noise",
    "draw",
    "draw_images",
    "draw_index",
    "draw_noise",
    "draw_scene",
    "example",
    "input_scale",
    "inputs",
    "observe",
    "places",
    "position",
    "position_count",
    "position_shape",
    "positions",
    "probability",
    "render",
    "supported",
    "target_kind",
    "targets",
    "taught",
    "trainable",
]
