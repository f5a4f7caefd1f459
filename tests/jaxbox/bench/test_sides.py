"""Every side does the same work as jaxbox, which the losses of the first steps show, and whoever does not is refused."""

import functools
import shutil

import jax
import numpy as np
import pytest

from jaxbox.bench import comparison, making, problem, sides

PEERS = [name for name in sides.SIDES if not name.startswith("jaxbox")]
ON_GPU = shutil.which("nvidia-smi") is not None


def first_losses(name, configuration):
    """A side, and its losses in the first steps of two seeds."""
    side = sides.load(name)(making.make(configuration, 2), 2)
    return side, np.array([side.compared_losses(step) for step in range(problem.COMPARED_STEPS)])


@pytest.fixture(
    scope="module",
    params=[
        *("linear", "cnn", "soft_argmax", "drawn"),
        *(pytest.param(name, marks=pytest.mark.slow) for name in ("mlp", "coordconv")),
    ],
)
def reference(request, configurations):
    """A configuration and a function that gives jaxbox's losses, which are not computed where all peers are skipped."""
    configuration = configurations[request.param]
    return configuration, functools.cache(lambda: first_losses("jaxbox", configuration)[1])


@pytest.fixture
def ranks(name):
    """Keras's own layers broadcast without saying so."""
    with jax.numpy_rank_promotion("allow" if name == "keras" else "raise"):
        yield


# Torch's own compiler warns of torch's own names, and that products are what is asked for here: float32.
@pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning", "ignore:TensorFloat32:UserWarning")
@pytest.mark.usefixtures("ranks")
@pytest.mark.parametrize("name", PEERS)
def test_every_peer_has_jaxbox_s_losses_and_goes_on_training(name, reference):
    if sides.SIDES[name].missing(ON_GPU):
        pytest.skip(sides.SIDES[name].missing(ON_GPU))
    configuration, expected = reference
    if sides.SIDES[name].refusal(configuration):
        pytest.skip(sides.SIDES[name].refusal(configuration))
    side, losses = first_losses(name, configuration)
    np.testing.assert_allclose(losses, expected(), rtol=1e-4)
    later = [side.run(4) for _ in range(5)][-1]
    assert later.shape == (2,)
    assert np.all(later < losses[0])
    assert side.memory()["host"] > 2**20


def test_images_instead_of_windows_give_the_same_losses_and_jaxbox_evaluates(configurations):
    windowed, losses = first_losses("jaxbox", configurations["linear"])
    rendered, others = first_losses("jaxbox-rendered", configurations["linear"])
    np.testing.assert_allclose(losses, others, rtol=1e-4)
    assert rendered.configuration.render
    assert not windowed.configuration.render
    assert windowed.evaluation_seconds() > 0
    assert windowed.step == problem.COMPARED_STEPS, "an evaluation is no step"


def test_with_shared_batches_seed_0_has_the_same_losses(configurations):
    own, losses = first_losses("jaxbox", configurations["linear"])
    shared, others = first_losses("jaxbox-shared", configurations["linear"])
    assert (own.seeds, shared.seeds) == (2, 2)
    assert others.shape == (problem.COMPARED_STEPS, 1)
    np.testing.assert_allclose(losses[:, :1], others, rtol=1e-4)
    comparison.check_losses("here", "jaxbox-shared", others, losses)
    # The other seed has weights of its own, and the data of seed 0.
    assert not np.allclose(shared.run(1), own.run(1), rtol=1e-2)


def test_a_side_says_what_it_does_not_offer(configurations):
    assert sides.SIDES["keras"].refusal(configurations["coordconv"]) == "it has no coordconv"
    assert sides.SIDES["torch"].refusal(configurations["coordconv"]) == ""
    assert "whole images" in sides.SIDES["jaxbox-rendered"].refusal(configurations["drawn"])
    assert sides.SIDES["jaxbox-rendered"].refusal(configurations["soft_argmax"]) == ""


@pytest.mark.parametrize(("step", "error", "refused"), [(0, 5e-5, 0), (0, 5e-4, 1), (2, 5e-4, 0), (2, 5e-3, 1)])
def test_a_loss_that_differs_is_refused(step, error, refused):
    expected = np.random.default_rng(0).uniform(0.1, 1, (3, 4))
    losses = expected[:, :2].copy()
    losses[step, 1] *= 1 + error
    if not refused:
        comparison.check_losses("here", "torch", losses, expected)
        return
    with pytest.raises(comparison.LossError, match=f"^here: torch does not .* seed 1 at step {step}"):
        comparison.check_losses("here", "torch", losses, expected)


def test_a_loss_that_is_not_a_number_is_refused():
    with pytest.raises(comparison.LossError):
        comparison.check_losses("here", "torch", [[np.nan]], [[0.5]])


@pytest.mark.parametrize("name", sides.SIDES)
def test_every_row_names_a_class_in_a_file_of_the_package(name):
    """Also of sides whose library is not installed, so that nothing is imported."""
    module, cls = sides.SIDES[name].place.split(":")
    file = sides.__file__.removesuffix("sides.py") + module.replace(".", "/") + ".py"
    with open(file) as source:
        assert f"\nclass {cls}(" in source.read()
