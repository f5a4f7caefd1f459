"""The first values of a layer's kernel and bias: the rules by name, a factor and a number on top of them.

Glorot, He and LeCun draw the same uniform numbers in other ranges, so that networks of one seed differ in scale alone.
Fans count what meets: K K C numbers go into a unit of a convolution, and each goes to K K F. Rows:
`jaxbox.config.tables.INITIALIZATIONS`.
"""

import math
from typing import Any, NamedTuple, Protocol, runtime_checkable

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float, Key

from jaxbox.config import Model, tables

Kernel = Float[Array, "F ..."]
Bias = Float[Array, " F"]


@runtime_checkable
class Initialization(Protocol):
    """What a row of the table of initialisations must be."""

    def __call__(self, key: Key[Array, ""], shape: tuple[int, ...]) -> tuple[Kernel, Bias]:
        """The first kernel of this shape, (F, K, K, C) or (F, inputs), and the first bias, (F,)."""
        ...


class Start(NamedTuple):
    """How a layer starts: `scale` times the kernel, and `bias` on top of the bias, of the rule of this name.

    The numbers may be tracers. The defaults change nothing, to the last bit.
    """

    name: str = "glorot"
    scale: Any = 1.0
    bias: Any = 0.0

    @classmethod
    def of(cls, model: Model) -> "Start":
        """What `model.initialization`, `model.initial_scale` and `model.initial_bias` say."""
        return cls(model.initialization, model.initial_scale, model.initial_bias)

    def draw(self, key: Key[Array, ""], shape: tuple[int, ...]) -> tuple[Kernel, Bias]:
        """The first kernel of this shape, features first, and the first bias.

        Raises:
            ConfigurationError: the name is in no table.
        """
        rule: Initialization = tables.load("model.initialization", self.name)
        kernel, bias = rule(key, shape)
        return self.scale * kernel, self.bias + bias


GLOROT = Start()
"""How a layer starts that is told nothing else."""


def glorot(key: Key[Array, ""], shape: tuple[int, ...]) -> tuple[Kernel, Bias]:
    """Uniform of variance 2 / (fan in + fan out) (Glorot and Bengio, 2010), bias zero: Keras's default."""
    return nnx.initializers.glorot_uniform(in_axis=-1, out_axis=0)(key, shape), jnp.zeros(shape[0])


def he(key: Key[Array, ""], shape: tuple[int, ...]) -> tuple[Kernel, Bias]:
    """Uniform of variance 2 / fan in, which keeps the size of signals through relus (He et al., 2015), bias zero."""
    return nnx.initializers.he_uniform(in_axis=-1, out_axis=0)(key, shape), jnp.zeros(shape[0])


def lecun(key: Key[Array, ""], shape: tuple[int, ...]) -> tuple[Kernel, Bias]:
    """Uniform of variance 1 / fan in (LeCun et al., 1998), bias zero."""
    return nnx.initializers.lecun_uniform(in_axis=-1, out_axis=0)(key, shape), jnp.zeros(shape[0])


def orthogonal(key: Key[Array, ""], shape: tuple[int, ...]) -> tuple[Kernel, Bias]:
    """The units' weights orthogonal, of length one, or else those of the inputs (Saxe et al., 2014), bias zero."""
    return nnx.initializers.orthogonal(column_axis=0)(key, shape), jnp.zeros(shape[0])


ASYMMETRIC_DEVIATION = math.sqrt(1 + 8 / (9 * math.pi)) - math.sqrt(8 / (9 * math.pi))
"""0.6007: with it the squared length of signals is kept on average through layers of relus (Lu et al., section 4)."""


def asymmetric(key: Key[Array, ""], shape: tuple[int, ...]) -> tuple[Kernel, Bias]:
    """The randomized asymmetric initialisation against dying relus (Lu et al., 2019, arXiv 1903.06733).

    A unit's weights and its bias are normal with deviation 0.6007 / sqrt(fan in), but for one of them, chosen at
    random, which is drawn from Beta(2, 1): between 0 and 1, with mean 2/3. Signals that are not negative, as those of
    relus are, then more often light a unit than not.
    """
    features, inputs = shape[0], math.prod(shape[1:])
    normal_key, choice_key, beta_key = jax.random.split(key, 3)
    numbers = jax.random.normal(normal_key, (features, inputs + 1)) * (ASYMMETRIC_DEVIATION / math.sqrt(inputs))
    chosen = jax.random.randint(choice_key, (features, 1), 0, inputs + 1)
    positive = jnp.sqrt(jax.random.uniform(beta_key, (features, 1)))  # P(Beta(2, 1) < x) = x^2
    numbers = jnp.where(jnp.arange(inputs + 1)[None] == chosen, positive, numbers)
    return numbers[:, :-1].reshape(shape), numbers[:, -1]
