"""Every name that a configuration can hold: where its code is, and which fields that code reads.

One table a kind, one row a name. The tables hold text only, so that help, lists and refusals come before JAX is
loaded; `load` imports the code when it is needed. To add a model (noise, loss, ...): write its file, add its row.

A field that no row lists is always read. A field that some rows of a table list is read only where one of those rows is
chosen, in every table that lists it: `optimizer.momentum` is read by the optimiser momentum. `render` is how a row
says that it can do with windows instead of images (`jaxbox.layers.windows`): scene, noise, inputs, labels and model
must all list it.
"""

import importlib
import textwrap
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

from jaxbox.config import outside, rows
from jaxbox.config.errors import look_up
from jaxbox.config.fields import check_type, flatten
from jaxbox.config.rows import IMAGE, Row
from jaxbox.config.sections import Configuration

MARGINS = ("task.margin_left", "task.margin_right", "task.margin_top", "task.margin_bottom")
CIRCLES = ("task.box_size", "task.smallest_box", "task.distractors")
LAYERS = ("model.output", "model.initialization", "model.initial_scale", "model.initial_bias")
HIDDEN = ("model.activation", "model.normalization", "model.dropout", "model.dropout_rate")
CONVOLUTION = ("model.features", "model.kernel_size", "model.stride", "model.padding")

SCENES = {
    "box": Row(
        "jaxbox.task.scenes.box",
        "one white box on black, its centre the target",
        (*IMAGE, "task.box_size", *MARGINS, "render"),
    ),
    "subpixel_box": Row(
        "jaxbox.task.scenes.subpixel_box",
        "a box that starts between pixels, anti-aliased",
        (*IMAGE, "task.box_size", "task.subpixels", *MARGINS),
    ),
    "random_size_box": Row(
        "jaxbox.task.scenes.random_size_box",
        "a box whose side is drawn, its centre the target; half-lit edges where it falls between pixels",
        (*IMAGE, "task.box_size", "task.smallest_box", *MARGINS),
    ),
    "overhanging_box": Row(
        "jaxbox.task.scenes.overhanging_box",
        "a box that may leave the image; the target is the centre of the whole box",
        (*IMAGE, "task.box_size", "task.overhang"),
    ),
    "red_box": Row(
        "jaxbox.task.scenes.red_box",
        "a red box over circles of random colour, size and place; needs 3 channels",
        (*IMAGE, *CIRCLES),
    ),
    "grey_box": Row(
        "jaxbox.task.scenes.grey_box",
        "the same with one law of greys for box and circles: only shape tells",
        (*IMAGE, *CIRCLES),
    ),
    "dots": Row(
        "jaxbox.task.scenes.dots",
        "dots drawn one over another; the first, which is white, is the target",
        (*IMAGE, "task.box_size", "task.distractors"),
    ),
    "pixel": Row("jaxbox.task.scenes.pixel", "one lit pixel (Liu et al., 2018)", (*IMAGE, *MARGINS, "render")),
}
NOISES = {
    "none": Row("jaxbox.task.noises:NONE", "clean images", ("render",)),
    "white": Row("jaxbox.task.noises:WHITE", "independent Gaussian noise on every pixel", ("task.noise_level",)),
    "salt_pepper": Row(
        "jaxbox.task.noises:SALT_PEPPER", "pixels replaced by 0 or 1", ("task.noise_level", "task.salt")
    ),
}
INPUTS = {
    "unit": Row("jaxbox.task.inputs:unit", "[0, 1]", ("render",)),
    "byte": Row("jaxbox.task.inputs:byte", "[0, 255]", ("render",)),
    "inverted": Row("jaxbox.task.inputs:inverted", "1 - pixel", ("render",)),
    "standardized": Row(
        "jaxbox.task.inputs:standardized", "population mean 0 and variance 1 over all pixels", ("render",)
    ),
    "mean_subtracted": Row("jaxbox.task.inputs:mean_subtracted", "less the population's mean image"),
    "pixel_standardized": Row(
        "jaxbox.task.inputs:pixel_standardized", "population mean 0 and variance 1 of every pixel by itself"
    ),
    "image_standardized": Row("jaxbox.task.inputs:image_standardized", "mean 0 and variance 1 of every image"),
    "stretched": Row("jaxbox.task.inputs:stretched", "contrast stretched: every image from 0 to 1"),
    "equalized": Row("jaxbox.task.inputs:equalized", "histogram of every image equalised, from 0 to 1"),
}
TARGETS = {
    "symmetric": Row("jaxbox.task.targets.affine:symmetric", "the whole image is [-1, 1]"),
    "unit": Row("jaxbox.task.targets.affine:unit", "the whole image is [0, 1]"),
    "pixels": Row("jaxbox.task.targets.affine:pixels", "pixels from the image's top-left corner"),
    "centred_pixels": Row("jaxbox.task.targets.affine:centred_pixels", "pixels from the image's middle"),
    "standardized": Row("jaxbox.task.targets.affine:standardized", "mean 0 and variance 1 over all positions"),
    "quantile": Row("jaxbox.task.targets.curved:quantile", "share of positions that are less: uniform on [0, 1]"),
    "logit": Row("jaxbox.task.targets.curved:logit", "ln(u / (1 - u)), u the image's [0, 1] less 1% at both ends"),
    "cell": Row("jaxbox.task.targets.cells:cell", "position as a class; predicts the probabilities' mean"),
    "cell_mode": Row("jaxbox.task.targets.cells:cell_mode", "position as a class; predicts the most probable"),
}
MODELS = {
    "cnn": Row(
        "jaxbox.models.cnn:CNN",
        "strided convolutions, then one dense layer or more",
        (*CONVOLUTION, "model.dense", *HIDDEN, "model.pooling", "model.shortcut", *LAYERS, "render"),
    ),
    "coordconv": Row(
        "jaxbox.models.coordconv:CoordConv",
        "coordinates as channels, 1 x 1 and larger convolutions, the largest of each map (Liu et al., 2018)",
        ("model.features", "model.kernel_size", *HIDDEN, *LAYERS),
    ),
    "linear": Row("jaxbox.models.linear:Linear", "one dense layer on the pixels", (*LAYERS, "render")),
    "mlp": Row(
        "jaxbox.models.mlp:MLP",
        "hidden layers of dense units",
        ("model.hidden", *HIDDEN, "model.shortcut", *LAYERS, "render"),
    ),
    "soft_argmax": Row(
        "jaxbox.models.soft_argmax:SoftArgmax",
        "convolutions to a heat map, and its mean place (Nibali et al., 2018)",
        ("model.features", "model.kernel_size", "model.padding", *HIDDEN, *LAYERS, "render"),
    ),
}
ACTIVATIONS = {
    "relu": Row("jax.nn:relu", "max(x, 0); its dead units are measured"),
    "sigmoid": Row("jax.nn:sigmoid", "1 / (1 + exp(-x))"),
    "tanh": Row("jax.numpy:tanh", "hyperbolic tangent"),
    "gelu": Row("jax.nn:gelu", "Gaussian error linear unit, tanh approximation"),
    "leaky_relu": Row("jax.nn:leaky_relu", "x, or 0.01 x below 0 (Maas et al., 2013)"),
    "elu": Row("jax.nn:elu", "x, or exp(x) - 1 below 0 (Clevert et al., 2016)"),
    "silu": Row("jax.nn:silu", "x / (1 + exp(-x)), also called swish (Elfwing et al., 2018)"),
    "identity": Row("jaxbox.layers.activation:identity", "x: layers without an activation are linear together"),
}
OUTPUTS = {
    "identity": Row("jaxbox.layers.activation:identity", "x"),
    "relu": Row("jax.nn:relu", "max(x, 0); its dead outputs are measured as the last layer's"),
    "sigmoid": Row("jax.nn:sigmoid", "1 / (1 + exp(-x)), between 0 and 1"),
    "tanh": Row("jax.numpy:tanh", "hyperbolic tangent, between -1 and 1"),
    "softplus": Row("jax.nn:softplus", "ln(1 + exp(x)), above 0"),
}
INITIALIZATIONS = {
    "glorot": Row("jaxbox.layers.start:glorot", "uniform, variance 2 / (fan in + fan out) (Glorot and Bengio, 2010)"),
    "he": Row("jaxbox.layers.start:he", "uniform, variance 2 / fan in (He et al., 2015)"),
    "lecun": Row("jaxbox.layers.start:lecun", "uniform, variance 1 / fan in (LeCun et al., 1998)"),
    "orthogonal": Row("jaxbox.layers.start:orthogonal", "orthogonal units of length one (Saxe et al., 2014)"),
    "asymmetric": Row(
        "jaxbox.layers.start:asymmetric", "against dying relus: one weight or bias a unit is positive (Lu et al., 2019)"
    ),
}
POOLINGS = {
    "none": Row("jaxbox.layers.pooling:Unpooled", "maps stay as they are", ("render",)),
    "max": Row("jaxbox.layers.pooling:MaxPooling", "the largest of every 2 x 2 pixels"),
    "average": Row("jaxbox.layers.pooling:AveragePooling", "the mean of every 2 x 2 pixels", ("render",)),
}
NORMALIZATIONS = {
    "none": Row("jaxbox.layers.normalization:Unnormalized", "values stay as they are", ("render",)),
    "batch": Row(
        "jaxbox.layers.normalization:BatchNormalization",
        "each unit over the batch and the map; running statistics at the end (Ioffe and Szegedy, 2015)",
    ),
    "layer": Row(
        "jaxbox.layers.normalization:LayerNormalization",
        "the units of an example, or of a pixel of its map (Ba et al., 2016)",
        ("render",),
    ),
}
SHORTCUTS = {
    "none": Row("jaxbox.layers.shortcut:NoShortcut", "nothing", ("render",)),
    "identity": Row(
        "jaxbox.layers.shortcut:IdentityShortcut",
        "what the layer was given is added to what it gives, where both have one shape (He et al., 2016)",
    ),
}
DROPOUTS = {
    "none": Row("jaxbox.layers.dropout:Undropped", "nothing", ("render",)),
    "units": Row(
        "jaxbox.layers.dropout:Dropout", "each number by itself (Srivastava et al., 2014)", ("model.dropout_rate",)
    ),
}
LOSSES = {
    "mse": Row("jaxbox.losses.pointwise:mse", "squared error"),
    "mae": Row("jaxbox.losses.pointwise:mae", "absolute error"),
    "huber": Row("jaxbox.losses.pointwise:huber", "half the squared error, beyond delta a line", ("loss.delta",)),
    "log_cosh": Row("jaxbox.losses.pointwise:log_cosh", "ln cosh of the error"),
    "mse_msle": Row(
        "jaxbox.losses.pointwise:mse_msle",
        "squared error + alpha times that of logarithms",
        ("loss.alpha", "loss.epsilon"),
    ),
    "gaussian_nll": Row(
        "jaxbox.losses.likelihoods:gaussian_nll", "normal likelihood, mean and variance learned (Nix and Weigend, 1994)"
    ),
    "beta_nll": Row(
        "jaxbox.losses.likelihoods:beta_nll",
        "the same, weighted by variance^beta (Seitzer et al., 2022)",
        ("loss.beta",),
    ),
    "cross_entropy": Row("jaxbox.losses.likelihoods:cross_entropy", "likelihood of the position's class"),
}
RATE = ("optimizer.learning_rate", "optimizer.weight_decay")
MOMENTUM = (*RATE, "optimizer.momentum")
MEAN_SQUARES = (*RATE, "optimizer.rho", "optimizer.epsilon")
MOMENTS = (*RATE, "optimizer.b1", "optimizer.b2", "optimizer.epsilon")
OPTIMIZERS = {
    "sgd": Row("jaxbox.optimizers:sgd", "gradient descent", RATE),
    "momentum": Row("jaxbox.optimizers:momentum", "heavy-ball momentum (Polyak, 1964)", MOMENTUM),
    "nesterov": Row("jaxbox.optimizers:nesterov", "Nesterov's momentum (1983)", MOMENTUM),
    "rmsprop": Row("jaxbox.optimizers:rmsprop", "RMSProp (Hinton, 2012)", MEAN_SQUARES),
    "adam": Row("jaxbox.optimizers:adam", "Adam (Kingma and Ba, 2015)", MOMENTS),
    "adamw": Row(
        "jaxbox.optimizers:adamw",
        "Adam with decoupled weight decay, which must not be 0 (Loshchilov and Hutter, 2019)",
        MOMENTS,
    ),
    "adadelta": Row("jaxbox.optimizers:adadelta", "Adadelta (Zeiler, 2012)", MEAN_SQUARES),
    "lion": Row(
        "jaxbox.optimizers:lion",
        "sign of a velocity, with decoupled weight decay (Chen et al., 2023)",
        (*RATE, "optimizer.b1", "optimizer.b2"),
    ),
}
SCHEDULES = {
    "constant": Row("jaxbox.schedules:constant", "the learning rate stays"),
    "cosine": Row("jaxbox.schedules:cosine", "half a cosine, from the learning rate to 0 after the last step"),
    "step": Row(
        "jaxbox.schedules:step",
        "decay_factor times the learning rate, again after every decay_every steps",
        ("optimizer.decay_every", "optimizer.decay_factor"),
    ),
}

LAWS = {
    "uniform": Row("jaxbox.task.laws:uniform", "all positions equally probable"),
    "beta": Row(
        "jaxbox.task.laws:beta",
        "x and y independent and Beta-distributed about the middle, both parameters alike",
        ("data.concentration",),
    ),
    "corner": Row(
        "jaxbox.task.laws:corner", "imbalanced: a share of the examples from one quadrant", ("data.corner_share",)
    ),
}
LABELS = {
    "true": Row("jaxbox.task.labels:true", "every image with its own target", ("render",)),
    "shuffled": Row(
        "jaxbox.task.labels:shuffled", "targets permuted against images, within the training set", ("render",)
    ),
    "flipped": Row("jaxbox.task.labels:flipped", "half of the images flipped left-right, their targets not"),
}
SPLITS = {
    "random": Row("jaxbox.task.splits:random", "none: every position can be drawn"),
    "held_out": Row("jaxbox.task.splits:held_out", "a share of the positions, at random", ("data.held_out",)),
    "quadrant": Row("jaxbox.task.splits:quadrant", "the bottom right quadrant (Liu et al., 2018)"),
}

TABLES: dict[str, dict[str, Row]] = {
    "task.scene": SCENES,
    "task.noise": NOISES,
    "task.inputs": INPUTS,
    "task.targets": TARGETS,
    "model.name": MODELS,
    "model.activation": ACTIVATIONS,
    "model.output": OUTPUTS,
    "model.initialization": INITIALIZATIONS,
    "model.pooling": POOLINGS,
    "model.normalization": NORMALIZATIONS,
    "model.shortcut": SHORTCUTS,
    "model.dropout": DROPOUTS,
    "loss.name": LOSSES,
    "optimizer.name": OPTIMIZERS,
    "optimizer.schedule": SCHEDULES,
    "data.law": LAWS,
    "data.labels": LABELS,
    "data.split": SPLITS,
}
"""By the field that holds the name."""


def row(field: str, name: str) -> Row:
    """The row of a name in the table of this field; one from outside (`outside.load`) gets a row made from its code.

    Raises:
        ConfigurationError: unknown name; the nearest one is suggested.
    """
    check_type(field, name, str)
    return rows.from_outside(field, name) if outside.is_outside(name) else look_up(TABLES[field], name, field)


def load(field: str, name: str) -> Any:
    """The code behind a name; imports its module.

    Raises:
        ConfigurationError: unknown name; the nearest one is suggested.
    """
    if outside.is_outside(name):
        return outside.load(field, name)
    module, _, attribute = row(field, name).place.partition(":")
    imported = importlib.import_module(module)
    return getattr(imported, attribute) if attribute else imported


def readers(path: str) -> dict[str, list[str]]:
    """Which names of which tables read the field at this path; none if every configuration does."""
    found = {field: [name for name, row in table.items() if path in row.reads] for field, table in TABLES.items()}
    return {field: names for field, names in found.items() if names}


def fields_read(configuration: Configuration) -> frozenset[str]:
    """The dotted paths of the fields that a configuration with these names reads.

    Raises:
        ConfigurationError: a name is in no table.
    """
    values = dict(flatten(configuration))
    return _fields_read(tuple((field, row(field, values[field])) for field in TABLES), tuple(values))


@cache
def _fields_read(chosen: tuple[tuple[str, Row], ...], paths: tuple[str, ...]) -> frozenset[str]:
    """Cached by rows, not by names: a row may be changed."""
    of = dict(chosen)
    return frozenset(path for path in paths if all(path in of[field].reads for field in readers(path)))


def takes_windows(configuration: Configuration) -> bool:
    """Whether all that a configuration names can work on windows (see `jaxbox.layers.windows`) instead of images."""
    return "render" in fields_read(configuration)


def uses_windows(configuration: Configuration) -> bool:
    """Whether training works on windows rather than on images."""
    return takes_windows(configuration) and not configuration.render


WINDOWS = "[windows]"
"""Marks a row that names `render`."""
LEGEND = f"{WINDOWS}: can do without images; --render has an effect where scene, noise, inputs, labels, model all can"


def describe(width: int = 80, own: Sequence[tuple[str, str]] = ()) -> Iterator[str]:
    """Lines of at most this width that say what each name is and which options it reads; the end of every help text.

    Args:
        own: field and name of what is from outside, to be described as well.
    """
    for field, names in TABLES.items():
        table = names | {name: row(field, name) for of, name in own if of == field}
        yield f"{field}:"
        longest = max(map(len, table))
        for name, each in table.items():
            yield textwrap.fill(
                f"  {name:<{longest}}  {_say(each)}",
                width,
                subsequent_indent=" " * (longest + 6),
                break_on_hyphens=False,
            )
    yield textwrap.fill(LEGEND, width)


def _say(row: Row) -> str:
    """What a name is and reads, but for an image's sizes, which every scene reads."""
    reads = [path for path in row.reads if path not in (*IMAGE, "render")]
    options = f"; reads {', '.join(reads)}" if reads else ""
    return row.summary + options + (f" {WINDOWS}" if "render" in row.reads else "")
