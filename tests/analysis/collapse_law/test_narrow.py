"""Who is born dead: Lu's formula against simulation for one input, and the run against networks drawn by hand."""

import numpy as np
import pytest

from analysis.collapse_law.narrow import born_dead

DRAWS = 20_000


@pytest.mark.parametrize("hidden", [(2,), (2, 3), (3, 3, 3), (4, 2, 4)])
def test_one_input_finds_a_dead_layer_as_often_as_the_formula_says(hidden):
    generator, dead = np.random.default_rng(0), np.zeros(DRAWS, bool)
    values = np.ones((DRAWS, 5))
    for units in hidden:
        weights = generator.uniform(-1, 1, (DRAWS, units, values.shape[1]))
        values = np.maximum(np.einsum("dui,di->du", weights, values), 0)
        dead |= ~(values > 0).any(axis=1)
    expected = born_dead(hidden)
    assert abs(dead.mean() - expected) < 4 * np.sqrt(expected * (1 - expected) / DRAWS)
