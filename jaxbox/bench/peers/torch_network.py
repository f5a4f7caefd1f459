"""The same networks as PyTorch modules, which all PyTorch peers share."""

# pyright: reportMissingImports=false
# (an optional package)

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from jaxbox.bench.problem import Layer, same_padding
from jaxbox.config import Configuration


class Convolution(nn.Module):
    """A convolution with TensorFlow's SAME padding, which PyTorch's own cannot express when it is lopsided."""

    def __init__(self, layer: Layer, stride: int):
        super().__init__()
        kernel, bias = layer
        features, size, _, channels = kernel.shape
        self.size, self.stride = size, stride
        self.convolution = nn.Conv2d(channels, features, size, stride, bias=bool(bias.size))
        weights = {"weight": _tensor(kernel.transpose(0, 3, 1, 2))}
        self.convolution.load_state_dict(weights | ({"bias": _tensor(bias)} if bias.size else {}))

    def forward(self, images: Float[Tensor, "B C H W"]) -> Float[Tensor, "B F h w"]:
        """The maps after the convolution."""
        rows, columns = (same_padding(size, self.size, self.stride) for size in images.shape[-2:])
        if rows[0] != rows[1] or columns[0] != columns[1]:
            return self.convolution(F.pad(images, (*columns, *rows)))
        weight, bias = self.convolution.weight, self.convolution.bias
        return F.conv2d(images, weight, bias, self.stride, (rows[0], columns[0]))


class Flattened(nn.Module):
    """Convolutions and dense layers, each of them but the last with a relu."""

    def __init__(self, layers: list[Layer], configuration: Configuration):
        super().__init__()
        convolutions = [layer for layer in layers if layer[0].ndim == 4]
        dense, stride = layers[len(convolutions) :], configuration.model.stride
        self.convolutions = nn.ModuleList([Convolution(layer, stride) for layer in convolutions])
        self.dense = nn.ModuleList([nn.Linear(kernel.shape[1], len(bias)) for kernel, bias in dense])
        for module, (kernel, bias) in zip(self.dense, dense, strict=True):
            module.load_state_dict({"weight": _tensor(kernel), "bias": _tensor(bias)})

    def forward(self, images: Float[Tensor, "B C H W"]) -> Float[Tensor, "B 2"]:
        """The two outputs of each image."""
        values = images
        for convolution in self.convolutions:
            values = F.relu(convolution(values))
        # Channels last is how these maps lie in memory, so that flattening them in that order copies nothing.
        values = values.permute(0, 2, 3, 1).flatten(1)
        for layer in self.dense[:-1]:
            values = F.relu(layer(values))
        return self.dense[-1](values)


class Maps(nn.Module):
    """Convolutions of stride 1, each of them but the last with a relu."""

    def __init__(self, layers: list[Layer], configuration: Configuration):
        super().__init__()
        self.convolutions = nn.ModuleList([Convolution(layer, 1) for layer in layers])

    def maps(self, images: Float[Tensor, "B C H W"]) -> Float[Tensor, "B F H W"]:
        """What the last convolution gives."""
        values = images
        for convolution in self.convolutions[:-1]:
            values = F.relu(convolution(values))
        return self.convolutions[-1](values)


class CoordConv(Maps):
    """Coordinates from -1 to 1 as two more channels, and the largest of each output's map."""

    def __init__(self, layers: list[Layer], configuration: Configuration):
        super().__init__(layers, configuration)
        height, width = configuration.task.height, configuration.task.width
        y, x = torch.meshgrid(torch.linspace(-1, 1, height), torch.linspace(-1, 1, width), indexing="ij")
        self.register_buffer("coordinates", torch.stack([x, y])[None], persistent=False)

    def forward(self, images: Float[Tensor, "B C H W"]) -> Float[Tensor, "B 2"]:
        """The two outputs of each image."""
        coordinates = self.coordinates.expand(len(images), -1, -1, -1)
        return self.maps(torch.cat([images, coordinates], dim=1)).amax(dim=(2, 3))


class SoftArgmax(Maps):
    """The mean place of a heat map, in targets for which the whole image is [-1, 1]."""

    def __init__(self, layers: list[Layer], configuration: Configuration):
        super().__init__(layers, configuration)
        for name, size in (("x", configuration.task.width), ("y", configuration.task.height)):
            self.register_buffer(name, (2 * torch.arange(size) + 1) / size - 1, persistent=False)

    def forward(self, images: Float[Tensor, "B C H W"]) -> Float[Tensor, "B 2"]:
        """The two outputs of each image."""
        heat = self.maps(images)[:, 0]
        weights = heat.flatten(1).softmax(dim=1).view(heat.shape)
        return torch.stack([weights.sum(dim=1) @ self.x, weights.sum(dim=2) @ self.y], dim=1)


NETWORKS: dict[str, type[nn.Module]] = {"coordconv": CoordConv, "soft_argmax": SoftArgmax}
"""By model; all others are flattened."""


def network(layers: list[Layer], configuration: Configuration) -> nn.Module:
    """The network of one member's layers."""
    return NETWORKS.get(configuration.model.name, Flattened)(layers, configuration)


def _tensor(array: np.ndarray) -> Tensor:
    return torch.from_numpy(np.array(array))
