"""The law's numbers against hand-counted sizes, and against optax itself."""

import dataclasses
import math

import jax.numpy as jnp
import numpy as np
import optax
import pytest

from jaxbox.config import Optimizer, Task
from jaxbox.experiments.settings import box
from jaxbox.forecast.variables import GRADIENT, impulse, variables


def test_the_questions_network_by_hand():
    found = variables(box())
    fans = [5 * 5 * 1, 5 * 5 * 32, 5 * 5 * 64, 2 * 2 * 128]
    assert found["fan_in"] == pytest.approx(sum(map(math.log, fans)) / 4)
    assert found["step"] == pytest.approx(math.log(0.01 / (1 + 1e-7 / GRADIENT) * 4 * math.prod(fans) ** (1 / 8)))
    assert found["positions"] == pytest.approx(math.log(4))
    assert found["units"] == pytest.approx(math.log(32 * 64 * 128) / 3)
    assert (found["brightness"], found["shared"]) == (0, 0)
    assert variables(box(**{"task.inputs": "byte"}))["brightness"] == 1
    # White around a black box of 4: all that there is, every image has but for 16 pixels.
    assert variables(box(**{"task.inputs": "inverted"}))["shared"] == 1
    # The middle one of the places is seen whole by some kernels, in part by others: between 1 and 16 lit pixels.
    assert 0 < found["input"] < math.log(4)


def test_what_each_field_changes():
    base = box()
    plain = variables(base)
    brighter = dataclasses.replace(base, task=Task(inputs="dimmed", contrast=3.0))
    changed = {name for name, value in variables(brighter).items() if value != pytest.approx(plain[name])}
    assert changed == {"input", "brightness", "instability"}
    assert variables(brighter)["input"] == pytest.approx(plain["input"] + math.log(3))
    slow = dataclasses.replace(base, optimizer=Optimizer("momentum", 0.1, momentum=0.9))
    assert variables(slow)["momentum"] == pytest.approx(math.log(10))
    assert variables(slow)["damping"] == variables(slow)["impulse"] == 0


@pytest.mark.parametrize(("b1", "b2"), [(0.9, 0.999), (0.0, 0.999), (0.5, 0.9)])
def test_an_impulse_moves_a_weight_as_optax_does(b1, b2):
    """A gradient that is tiny at the first step, huge at the second, and then 0."""
    rule = optax.adam(1.0, b1=b1, b2=b2, eps=1e-30)
    weight, moved = jnp.zeros(()), []
    state = rule.init(weight)
    for gradient in [1e-12, 1.0, *np.zeros(300)]:
        update, state = rule.update(jnp.float32(gradient), state, weight)
        moved.append(float(update))
    # What is left after 300 steps is under 0.9^300 of it; float32 in the sums.
    assert impulse(b1, b2) == pytest.approx(-sum(moved[1:]), rel=1e-4)
