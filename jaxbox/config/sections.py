"""The sections of a configuration: frozen dataclasses, whose field docstrings are the help text.

What a name can be, and which fields each name reads, is in `jaxbox.config.tables`; the help shows both. Options of a
kind's own are fields of a subclass of its section (`tables.Row.options`).
"""

import dataclasses
from functools import cache
from typing import Any

from jaxbox.config import outside

PROBES = ("none", "early")
"""What a run can measure beside what every run does."""
FROZEN = ("none", "biases")
"""Which parameters training can leave as they start."""


@dataclasses.dataclass(frozen=True)
class Section:
    """What sections share: where a name is asked for, the object itself will do, and is stored by its name."""

    def __post_init__(self) -> None:
        for name in _texts(type(self)):
            value = getattr(self, name)
            if not isinstance(value, outside.PLAIN):
                object.__setattr__(self, name, outside.name_of(value))


@cache
def _texts(cls: Any) -> tuple[str, ...]:
    """The fields that hold text, found once: thousands of configurations are of a few classes."""
    return tuple(field.name for field in dataclasses.fields(cls) if field.type in (str, "str"))


@dataclasses.dataclass(frozen=True)
class Task(Section):
    """The distribution of examples. Lengths are in pixels, noise in units of the [0, 1] pixel scale."""

    height: int = 16
    """Rows of an image."""
    width: int = 16
    """Columns of an image."""
    box_size: int = 4
    """Side of the box; diameter of the dots."""
    channels: int = 1
    """1 (grey) or 3 (the same picture in each channel but for red_box, independent noise)."""
    noise: str = "none"
    """What is added to the pixels, a noise by name."""
    noise_level: float = 0.0
    """Standard deviation (white) or probability that a pixel is replaced (salt_pepper)."""
    inputs: str = "unit"
    """Scale of the pixels that the network sees, by name."""
    contrast: float = 0.5
    """Brightness of a white box on black, as the network sees it, where 1 is that of unit inputs."""
    targets: str = "symmetric"
    """What the network must say, a scale or a class by name; predictions are judged in one unit whatever it is."""
    margin_left: int = 0
    """Columns at the left that the box never enters."""
    margin_right: int = 0
    """Columns at the right that the box never enters."""
    margin_top: int = 0
    """Rows at the top that the box never enters."""
    margin_bottom: int = 0
    """Rows at the bottom that the box never enters."""
    scene: str = "box"
    """What is drawn, a scene by name."""
    subpixels: int = 4
    """Positions to a pixel along each axis; pixels that a box covers in part are grey."""
    smallest_box: int = 2
    """Side of the smallest box; diameter of the smallest circle, where the largest is as far above box_size."""
    overhang: int = 1
    """Pixels by which a box may leave the image, at most half of its side, so that its centre does not."""
    distractors: int = 3
    """Circles, or dots, beside the one to be found."""
    salt: float = 0.5
    """Share of the replaced pixels that are 1 (salt); the others are 0 (pepper)."""


@dataclasses.dataclass(frozen=True)
class Model(Section):
    """The network. By default kernels start Glorot-uniform and biases at zero, as in Keras."""

    name: str = "cnn"
    """The architecture, a model by name."""
    features: tuple[int, ...] = (32, 64, 128)
    """Channels of each convolution."""
    kernel_size: int = 5
    """Side of each convolution's kernel, in pixels."""
    stride: int = 2
    """Stride of each convolution, in pixels."""
    padding: str = "SAME"
    """SAME or VALID, as in TensorFlow."""
    hidden: tuple[int, ...] = (64,)
    """Units of each hidden dense layer."""
    dense: tuple[int, ...] = ()
    """Units of each dense layer between the convolutions and the outputs."""
    activation: str = "relu"
    """The function after each hidden layer, an activation by name."""
    output: str = "identity"
    """The function of the outputs, by name."""
    initialization: str = "glorot"
    """How kernels start, by name."""
    initial_scale: float = 1.0
    """What the kernels' first values are multiplied with."""
    initial_bias: float = 0.0
    """What is added to the biases' first values."""
    pooling: str = "none"
    """How maps are halved after each convolution's activation, by name."""
    normalization: str = "none"
    """How a hidden layer's values are normalised before the activation, by name."""
    shortcut: str = "none"
    """What goes past each hidden layer, by name."""
    dropout: str = "none"
    """What is dropped after each hidden layer while training, by name."""
    dropout_rate: float = 0.5
    """Probability that a number is dropped."""


@dataclasses.dataclass(frozen=True)
class Loss(Section):
    """What training minimises, averaged over the batch and the outputs."""

    name: str = "mse"
    """A loss by name."""
    delta: float = 1.0
    """Error, in the targets' own scale, at which a squared error goes over into an absolute one."""
    alpha: float = 5.0
    """Weight of the logarithms' squared error."""
    epsilon: float = 1e-9
    """Added to targets and predictions before their logarithms are taken."""
    beta: float = 0.5
    """Power of the variance that weighs an example; at 1 the means have the gradient of squared error."""


@dataclasses.dataclass(frozen=True)
class Optimizer(Section):
    """The update rule."""

    name: str = "adam"
    """An optimiser by name."""
    learning_rate: float = 0.01
    """Step size; that of adadelta's paper is 1."""
    momentum: float = 0.9
    """Decay of the velocity."""
    b1: float = 0.9
    """Decay of the first moment."""
    b2: float = 0.999
    """Decay of the second moment; in lion, of the velocity, for which its paper takes 0.99."""
    epsilon: float = 1e-7
    """Added to the root of the second moment; Keras's default. Adadelta adds it under the root, and its first steps are
    about sqrt(epsilon) long."""
    rho: float = 0.9
    """Decay of the mean squares."""
    weight_decay: float = 0.0
    """Pull of each weight, kernel or bias, towards 0, as in PyTorch: adamw and lion shrink weights by learning_rate
    times it each step; every other rule adds it times the weight to the gradient (an L2 penalty)."""
    clip_norm: float = 0.0
    """Norm of the gradient over all weights, without weight decay, to which longer ones are scaled down; 0 is no
    limit. The measured gradient_norm is that before."""
    schedule: str = "constant"
    """How the learning rate changes over the steps, a schedule by name."""
    warmup_steps: int = 0
    """First steps, whose learning rates are 1, 2, 3, ... times 1 / warmup_steps of what they would be; 0 is none."""
    decay_every: int = 100
    """Steps after which the learning rate is multiplied by decay_factor, again and again."""
    decay_factor: float = 0.1
    """What the learning rate is then multiplied by."""
    frozen: str = "none"
    """What training leaves as it starts: none, or biases, which is every array of one axis."""


@dataclasses.dataclass(frozen=True)
class Data(Section):
    """Which examples a seed trains on. It is judged on true images and labels of all positions, weighted by the law."""

    train_size: int = 10_000
    """Examples in each seed's training set, positions drawn independently; 0 is an endless stream."""
    shared_batches: bool = False
    """Train every seed on the batches of seed 0. Faster for small models and under noise, but seeds then differ in
    initial weights only: they are no independent replicates, and intervals leave out what the data contribute."""
    law: str = "uniform"
    """How probable each position is, in training and in evaluation, a law by name."""
    concentration: float = 5.0
    """Of x and y about the middle: both parameters of their Beta distribution. At 1 it is uniform, under 1 the edges
    are more probable than the middle."""
    corner_share: float = 0.5
    """Share of the examples that come from the top left quadrant; the rest is uniform, there and elsewhere."""
    labels: str = "true"
    """What the images of the training set are taught as, labels by name."""
    split: str = "random"
    """Which positions training never draws, a split by name."""
    held_out: float = 0.2
    """Share of the positions that a seed never trains on; each seed has its own."""


@dataclasses.dataclass(frozen=True)
class Configuration:
    """Everything about a member but its seed."""

    task: Task = Task()
    model: Model = Model()
    loss: Loss = Loss()
    optimizer: Optimizer = Optimizer()
    data: Data = Data()
    batch_size: int = 128
    """Examples a step."""
    steps: int = 1000
    """Updates."""
    eval_every: int = 50
    """Steps between evaluations; the last step is always evaluated."""
    eval_positions: int = 256
    """Positions that an evaluation on the way looks at, at most, where images are evaluated (noise, scenes without
    windows, --render): a stratified sample, whose standard error is r2_standard_error. 0 is all. The last evaluation
    looks at all, and so does every one that windows make cheap."""
    render: bool = False
    """Work on whole images even where windows would give the same numbers with less work."""
    probe: str = "none"
    """What else is measured: early is what decides a network's fate in its first steps, the pre-activations of relu
    layers, the signs of gradients, the length of updates; none is nothing. It changes the last bits of training, as
    another program does."""

    def evaluation_steps(self) -> list[int]:
        """Steps at which a member is evaluated: 0, every `eval_every`, and the last."""
        return [*range(0, self.steps, self.eval_every), self.steps]

    def evaluation_count(self) -> int:
        """How many steps `evaluation_steps` lists, without listing them."""
        return -(-self.steps // self.eval_every) + 1
