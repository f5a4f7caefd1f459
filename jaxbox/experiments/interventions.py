"""What the law of the collapse says must change a rate, one change at a time, and networks that are dead at birth."""

from jaxbox.config import Configuration, grid
from jaxbox.experiments.settings import THREAD_STEPS, box, grids


def interventions(full: bool = False) -> list[Configuration]:
    """Which changes to training keep a layer alive, and does the mechanism predict each of them?

    Claim: "the output overshoots, a gradient that is far larger than before follows, and Adam's momentum carries every
    unit down" (ours). Each change speaks to one step of that argument. Said before any run: flipping the sign of every
    other pixel changes nothing (a step shifts by the rate times the inputs' sum of sizes, whatever their signs), nor do
    frozen biases (one weight of hundreds) nor centred pixels (the layers that die are further up). Warming up over 40
    steps ends it (no overshoot), so does an epsilon of 0.1 (steps as small as gradients are), and at 0.01 no momentum
    (b1 0: nothing to carry on; 16 seeds at 0.02 had shown it) and a clipped gradient (none that is far larger than
    before) make it rarer. Where the box is dim, 0.3, biases count for more, and freezing them makes it rarer. Added
    later, when `normalization` had shown it at other rates: activations that are centred before each relu (batch
    normalisation) end it, as no step can then shift a unit below zero on every image.

    Command: python -m jaxbox.sweep interventions --seeds 32
    Cost: 9 minutes on 2 CPU cores with 32 seeds.
    Outcome: the argument holds for this network. 19% [9, 35] and 69% [51, 82] lose a layer at 0.01 and 0.03; without
    momentum, with the gradient clipped, after a warm-up of 40 steps and with an epsilon of 0.01 none of 32 does at
    either (95% interval to 11%). Flipped signs change nothing (19%, 81% [65, 91]). Frozen biases end it at 0.01 (0%),
    not at 0.03 (69%); where the box is dim 94% [80, 98] at 0.03 become 66% [48, 80]. Not as said: centred pixels make
    it rarer, 6% [2, 20] and 0%. A warm-up of 10 steps is enough at 0.01 (0%), not at 0.03 (69%). Centred activations
    end it (0% at either, R2 .97 and .91).
    """
    start = box(full, steps=THREAD_STEPS if full else 60)
    rates = {"optimizer.learning_rate": [0.01, 0.03]}
    inputs = {"task.inputs": ["unit", "checkerboard", "mean_subtracted"]}
    others = [
        {"optimizer.frozen": ["biases"]},
        {"task.inputs": ["dimmed"], "task.contrast": [0.3], "optimizer.frozen": ["none", "biases"]},
        {"optimizer.warmup_steps": [10, 40]},
        {"optimizer.epsilon": [1e-3, 1e-2, 1e-1]},
        {"optimizer.b1": [0.0]},
        {"optimizer.clip_norm": [0.1]},
        {"model.normalization": ["batch"]},
    ]
    return grids(start, inputs | rates, *(change | rates for change in others))


def born_dead(full: bool = False) -> list[Configuration]:
    """How often is a narrow deep network dead before it is trained, and how often after?

    Claim: "a narrow network of relus is born dead the more often the deeper it is" (Lu et al., 2019, arXiv 1903.06733).
    For one input a layer of N units is dead with probability 2^-N, so that of L layers one is with 1 - (1 - 2^-N)^L;
    for every image at once it is rarer, since images light different units. The evaluation at step 0 tells who is born
    dead, the last one who dies, at a tenth of the question's rate.

    Command: python -m jaxbox.sweep born_dead --seeds 256
    Cost: 2 minutes on 2 CPU cores with 256 seeds.
    Outcome: true, and for all images at once somewhat rarer than for one: with 2 units 7% [5, 11], 53% [47, 59] and 88%
    [84, 92] are dead at step 0 with 2, 5 and 10 layers (for one image 44%, 76% and 94%), with 4 units 0%, 4% [2, 7] and
    21% [17, 27], with 8 none (95% interval to 1%). Training kills more in the deepest: 93%, 68% and 36% at the end with
    2, 3 and 4 units, where 88%, 54% and 21% were born dead. The asymmetric first weights of the paper help: 25% [20,
    31] for 10 layers of 2 units, 2% for 10 of 4.
    """
    start = box(full, steps=THREAD_STEPS if full else 100, **{"model.name": "mlp", "optimizer.learning_rate": 0.001})
    shapes = [(width,) * depth for width in (2, 3, 4, 8) for depth in (2, 5, 10)]
    return grid(start, {"model.hidden": shapes, "model.initialization": ["glorot", "asymmetric"]})
