"""What layers take and return."""

from jaxtyping import Array, Float

from jaxbox.layers.windows.windowed import Windowed

Batch = Float[Array, "B ..."] | Windowed
"""B examples: images or maps (B, H, W, C), or vectors (B, F); or windows that stand for images or maps."""
