"""The profile: products counted as by hand, the kind of each operation, and the command as a user types it."""

import dataclasses
from collections import Counter

import jax
import jax.numpy as jnp
import pytest

from jaxbox.bench import arithmetic
from jaxbox.config import Configuration, Data, Model, Plan, Task
from jaxbox.profile import __main__ as command
from jaxbox.profile import recording
from jaxbox.profile.operations import operations
from jaxbox.training import groups
from jaxbox.training.population import Population

SMALL = Configuration(
    Task(8, 8, 3),
    Model("cnn", features=(4, 6)),
    data=Data(train_size=12),
    batch_size=4,
    steps=4,
    eval_every=2,
    render=True,
)


def program(configuration):
    (group,) = groups.group(Plan.of([configuration], 1))
    population = Population(group, 1, devices=jax.local_devices()[:1])
    return population.lower().compile(population.options.advance)


def test_products_of_each_layer_are_those_that_a_step_needs():
    found = Counter()
    for each in operations(program(SMALL).as_text()).values():
        found[each.part, each.backward] += each.flops
    first, second, head = (2 * SMALL.batch_size * each for each in arithmetic.layer_products(SMALL))
    # Few output pixels: no product is made with the zeros around an image. Nobody needs a gradient of the images.
    assert found["conv 1 to 4", False] == found["conv 1 to 4", True] == first
    assert (found["conv 4 to 6", False], found["conv 4 to 6", True]) == (second, 2 * second)
    assert (found["dense 24 to 2", False], found["dense 24 to 2", True]) == (head, 2 * head)
    # An evaluation: every position once, in blocks of 4, each of which is one loop's body.
    assert found["evaluation, conv 1 to 4", False] == first


def test_each_operation_has_its_kind():
    def work(x, y):
        with jax.named_scope("layer_conv_1"):
            product = x @ y
        with jax.named_scope("layer_hidden_2"):
            cut = jnp.concatenate([product[::2], product[1::2]])
        with jax.named_scope("update"):
            total = jnp.sort(jax.random.bits(jax.random.key(0), (64,)))
        return cut, total, jnp.exp(product).sum()

    text = jax.jit(work).lower(jnp.ones((64, 32)), jnp.ones((32, 16))).compile().as_text()
    found = {(each.part, each.kind): each.flops for each in operations(text).values()}
    assert found["conv 1", "products"] == 2 * 64 * 32 * 16
    assert ("update", "random") in found
    assert ("loss and others", "sums") in found
    assert all(kind in ("moved", "pointwise") for part, kind in found if part == "hidden 2")


@pytest.mark.slow
def test_what_is_recorded_is_most_of_the_time_and_the_products_of_a_step():
    configuration = dataclasses.replace(SMALL, model=Model("linear"))
    found = recording.record(configuration, 2, 0.2)
    spent = sum(each for (part, *_), each in found.seconds.items() if not part.startswith("evaluation"))
    assert spent > 0
    (layer,) = (2 * SMALL.batch_size * each for each in arithmetic.layer_products(configuration))
    # As often as steps were made, for each member: exactly once a step of a member.
    assert found.flops["dense 64 to 2", True] == pytest.approx(layer, rel=1e-9)
    blocks = -(-36 // SMALL.batch_size)
    assert found.flops["evaluation, dense 64 to 2", False] == pytest.approx(blocks * layer, rel=1e-9)


@pytest.mark.slow
def test_the_command_says_where_the_time_goes(capsys):
    words = "--task.height 8 --task.width 8 --task.box_size 3 --model.name linear --seconds 0.05 --batch_size 8"
    assert command.main([*words.split(), "--data.train_size", "16", "--steps", "4", "--eval_every", "2"]) == 0
    out = capsys.readouterr().out
    assert "dense 64 to 2, backward" in out
    assert "a step" in out
    assert "an evaluation" in out
    assert "% of peak" in out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("--members 0", "members: 0 is not allowed"),
        ("--seconds 0", "seconds: 0.0 is not allowed"),
        ("--task.hight 8", "did you mean --task.height?"),
        ("--task.height 3", "task.box_size"),
        ("--model.hidden 9", "model.hidden"),
        ("--model.name nobody", "nobody"),
    ],
)
def test_mistakes_are_one_line(words, said, capsys):
    assert command.main(words.split()) == 2
    err = capsys.readouterr().err
    assert said in err
    assert err.count("\n") == 1
