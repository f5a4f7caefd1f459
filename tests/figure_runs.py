"""Tiny real runs for the tests of figures: seconds to train, and between them everything that a figure may meet."""

import dataclasses
from contextlib import contextmanager

from jaxbox import store, sweep
from jaxbox.config import Configuration, Data, Model, Optimizer, Plan, Task
from jaxbox.sweep import signals

TASK = Task(height=6, width=6, box_size=2)
LINEAR = Configuration(
    TASK,
    Model("linear"),
    optimizer=Optimizer("sgd", 0.5),
    data=Data(train_size=400),
    batch_size=16,
    steps=60,
    eval_every=20,
)
MLP = dataclasses.replace(LINEAR, model=Model("mlp", hidden=(8,)), optimizer=Optimizer("adam", 0.01))
CNN = dataclasses.replace(MLP, model=Model("cnn", features=(4, 4), kernel_size=3))


def _rates(base, *rates):
    return [
        dataclasses.replace(base, optimizer=dataclasses.replace(base.optimizer, learning_rate=rate)) for rate in rates
    ]


def _noisy(base, *levels):
    tasks = [dataclasses.replace(base.task, noise="white", noise_level=level) for level in levels]
    return [dataclasses.replace(base, task=task) for task in tasks]


def _momenta(base, *momenta):
    optimizers = [dataclasses.replace(base.optimizer, name="momentum", momentum=momentum) for momentum in momenta]
    return [dataclasses.replace(base, optimizer=optimizer) for optimizer in optimizers]


RUNS = {
    # Learned, diverged, diverged; learned, learned, dead, dead or diverged.
    "mixed": ([*_rates(LINEAR, 0.5, 30.0, 100.0), *_rates(CNN, 0.003, 0.03, 0.3, 3.0)], 6),
    "map": ([config for slow in _momenta(MLP, 0.0, 0.9) for config in _rates(slow, 0.01, 1.0, 30.0)], 4),
    "many": (_rates(LINEAR, *(digit * 10.0**power for power in range(-5, 1) for digit in (1, 2, 5))), 3),
    "noisy": (_noisy(LINEAR, 0.1, 0.5), 4),
    # Stopped while the linear networks train; the others have not begun.
    "interrupted": ([LINEAR, CNN], 4),
}
"""What is trained, by name: configurations and seeds."""
PARTS = {"rates": (slice(3, None), 6), "one": (slice(5, 6), 6), "diverged": (slice(1, 3), 4), "single": (slice(1), 1)}
"""Runs that are a part of `mixed`, by name: configurations and seeds. They have results, but no checkpoints."""
UNKNOWN = "sizes"
"""The run `noisy` as if of a scene that has no closed form of the best linear or of the best possible predictor."""


def make(name, folder):
    """The run of this name in this folder, trained or cut out of another that is there."""
    if name in PARTS and not (folder / name).exists():
        _cut(make("mixed", folder), folder / name, *PARTS[name])
    elif name == UNKNOWN and not (folder / name).exists():
        _as_if(make("noisy", folder), folder / name, scene="random_size_box", smallest_box=1)
    elif not (folder / name).exists():
        configurations, seeds = RUNS[name]
        stop_at = seeds * 20 if name == "interrupted" else float("inf")
        with _stopping(stop_at):
            sweep.run(configurations, seeds, name=name, out=folder, quiet=True)
    return folder / name


def _cut(whole, path, chosen, seeds):
    plan, results = store.load_plan(whole), store.open_run(whole).load()
    results = results.isel(configuration=chosen, seed=slice(seeds))
    part = Plan.of(plan.configurations[chosen], seeds)
    same = [name for name in plan.varied() if name not in part.varied()]
    store.create(path, part)
    results = results.drop_vars(same).assign_coords(configuration=range(len(part.configurations)))
    store.save_results(path, [results])


def _as_if(whole, path, **task):
    plan = store.load_plan(whole)
    configurations = [
        dataclasses.replace(own, task=dataclasses.replace(own.task, **task)) for own in plan.configurations
    ]
    store.create(path, Plan.of(configurations, plan.seed_count))
    store.save_results(path, [store.open_run(whole).load()])


@contextmanager
def _stopping(seed_steps):
    """Within, a sweep stops as by Ctrl-C after so many updates of all members."""

    class Stop:
        def __init__(self, report):
            self.report = report

        @property
        def by(self):
            return "SIGINT" if self.report.done >= seed_steps else ""

        requested = by

    @contextmanager
    def stop_on_count(report, seconds):
        yield Stop(report)

    usual, signals.stop_on_signal = signals.stop_on_signal, stop_on_count
    try:
        yield
    finally:
        signals.stop_on_signal = usual
