"""The table of models. A constructor takes (model, task, rngs) and returns a module (B, H, W, C) -> (B, 2)."""

from collections.abc import Callable

from flax import nnx

from jaxbox.models.cnn import CNN
from jaxbox.models.linear import Linear
from jaxbox.models.mlp import MLP

MODELS: dict[str, Callable[..., nnx.Module]] = {"cnn": CNN, "linear": Linear, "mlp": MLP}
