"""Error against information: every member and axis, the bounds on any predictor, and where the thread's bound fails.

Errors are in squared spacings of the lattice, so that image sizes share a scale. A panel is all that has the same
bounds: the places of an axis, and the noise.
"""

from analysis.figures.information_plane.drawing import draw
from analysis.figures.information_plane.measuring import numbers

__all__ = ["draw", "numbers"]
