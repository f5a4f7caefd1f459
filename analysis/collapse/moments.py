"""Means, squares and products of targets, predictions and errors, in one pass over blocks of pairs.

Blocks are merged as in Chan, Golub and LeVeque (1983, The American Statistician 37, 242): sums of squares about the
mean, which do not cancel as raw sums do. From these follows Murphy's decomposition (1988, Mon. Wea. Rev. 116, 2417):
with s^2 = Var Yhat / Var Y, rho the correlation and beta = bias / std Y,

    1 - R2 = MSE / Var Y = (1 - rho^2) + (rho - s)^2 + beta^2.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from jaxtyping import Float


@dataclass(frozen=True)
class Moments:
    """Of n pairs a coordinate. The rows of `mean` and `squares` are target, prediction and error = prediction - target.

    `squares` and `products` are sums about the means, `low` and `high` the smallest and largest target and prediction.
    """

    count: int
    mean: Float[np.ndarray, "3 d"]
    squares: Float[np.ndarray, "3 d"]
    products: Float[np.ndarray, " d"]
    low: Float[np.ndarray, "2 d"]
    high: Float[np.ndarray, "2 d"]

    @classmethod
    def of(cls, targets: Float[np.ndarray, "d n"], predictions: Float[np.ndarray, "d n"]) -> Moments:
        """Of one block, with every coordinate's pairs next to each other."""
        three = (targets, predictions, predictions - targets)
        # From the first value on: a constant's mean is then the constant, and its squares are 0.
        first = [values[:, :1] for values in three]
        moved = [values - start for values, start in zip(three, first, strict=True)]
        shift = [values.mean(-1, keepdims=True) for values in moved]
        mean = np.concatenate([start + away for start, away in zip(first, shift, strict=True)], -1).T
        centred = [values - away for values, away in zip(moved, shift, strict=True)]
        return cls(
            targets.shape[-1],
            mean,
            np.stack([np.vecdot(values, values) for values in centred]),
            np.vecdot(centred[0], centred[1]),
            np.stack([values.min(-1) for values in three[:2]]),
            np.stack([values.max(-1) for values in three[:2]]),
        )

    def merge(self, other: Moments) -> Moments:
        """Of the pairs of both."""
        count = self.count + other.count
        apart, weight = other.mean - self.mean, self.count * other.count / count
        return Moments(
            count,
            self.mean + apart * (other.count / count),
            self.squares + other.squares + apart**2 * weight,
            self.products + other.products + apart[0] * apart[1] * weight,
            np.minimum(self.low, other.low),
            np.maximum(self.high, other.high),
        )

    @property
    def target_variance(self) -> Float[np.ndarray, " d"]:
        """Var Y, of the pairs as a population."""
        return self.squares[0] / self.count

    @property
    def mse(self) -> Float[np.ndarray, " d"]:
        """The mean squared error."""
        return self.squares[2] / self.count + self.mean[2] ** 2

    @property
    def r2(self) -> Float[np.ndarray, " d"]:
        """1 - MSE / Var Y."""
        return 1 - self.mse / self.target_variance

    @property
    def bias(self) -> Float[np.ndarray, " d"]:
        """The mean of prediction - target."""
        return self.mean[2]

    @property
    def variance_ratio(self) -> Float[np.ndarray, " d"]:
        """s^2 = Var Yhat / Var Y."""
        return self.squares[1] / self.squares[0]

    @property
    def correlation(self) -> Float[np.ndarray, " d"]:
        """Rho; 0 where the prediction is constant, as Murphy's decomposition has it."""
        scale = np.sqrt(self.squares[0]) * np.sqrt(self.squares[1])
        varies = (self.high[1] > self.low[1]) & (scale > 0)
        return np.clip(np.divide(self.products, scale, out=np.zeros_like(scale), where=varies), -1, 1)
