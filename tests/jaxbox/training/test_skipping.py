"""Members that are not live keep what they have, and nobody else notices; where members take turns they cost nothing."""

from types import SimpleNamespace

import jax
import numpy as np
import pytest

from jaxbox import config
from jaxbox.config import Configuration, Data, Model, Plan, Task
from jaxbox.training import groups
from jaxbox.training.population import Population

SMALL = Configuration(
    Task(6, 6, 2), Model("mlp", hidden=(4,)), data=Data(train_size=32), batch_size=8, steps=8, eval_every=4
)
SHARED = config.replace(SMALL, {"data.shared_batches": True})
RENDERED = config.replace(SMALL, {"render": True})
LIVE = np.array([True, False, False, False, False, True, True, False])


def advanced(configuration, live, platform=None):
    """States and measures of eight members of two devices at steps 4 and 8, of whom these train from step 4 on."""
    (group,) = groups.group(Plan.of([configuration], len(LIVE)))
    many = Population(group, len(LIVE), jax.devices()[:2], exactly=True, drops=live is not None)
    if platform:
        many.devices = [SimpleNamespace(platform=platform)] * 2
    inputs = many.inputs(many.chunks()[0])
    state, data = many.initialize(*inputs), many.prepare(*inputs, 0)
    found = []
    for first, last in ((0, 4), (4, 8)):
        given = () if live is None else (many.fill(live if first else np.ones(1, bool)),)
        state, data, measures = many.advance(state, data, *inputs, first, last, True, *given)
        found.append(jax.device_get((state, measures)))
    return many, found


@pytest.mark.parametrize(
    ("configuration", "platform", "shape"),
    [
        (SMALL, None, (2, 4, 1)),
        pytest.param(RENDERED, None, (2, 4, 1), marks=pytest.mark.slow),
        pytest.param(SHARED, None, (2, 1, 4), marks=pytest.mark.slow),
        (SMALL, "gpu", (2, 1, 4)),
        pytest.param(SHARED, "gpu", (2, 1, 4), marks=pytest.mark.slow),
    ],
    ids=["windows", "images", "shared batches", "together", "shared batches together"],
)
def test_who_is_live_trains_as_ever_and_the_others_stay(configuration, platform, shape):
    many, (before, after) = advanced(configuration, LIVE, platform)
    assert many.places == shape
    _, (_, theirs) = advanced(configuration, None, platform)
    for ours, old, new in zip(*(jax.tree.leaves(each[0]) for each in (after, before, theirs)), strict=True):
        np.testing.assert_array_equal(ours[LIVE], new[LIVE])
        np.testing.assert_array_equal(ours[~LIVE], old[~LIVE])
    for name, values in theirs[1].items():
        np.testing.assert_array_equal(after[1][name][LIVE], values[LIVE])
    assert (after[1]["dropped_step"][LIVE] == -1).all()


def test_the_program_without_is_what_it_was():
    """Nothing of it asks who is live: its text has no branch but that of a new epoch."""
    (group,) = groups.group(Plan.of([SMALL], 2))
    texts = [Population(group, 2, jax.devices()[:1], drops=drops).lower().as_text() for drops in (False, True)]
    branches = [text.count("stablehlo.case") + text.count("stablehlo.if") for text in texts]
    assert branches[0] == 1 < branches[1]
