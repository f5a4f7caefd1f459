"""What every test shares: eight fake CPU devices, and signatures whose shapes and types are checked while tests run."""

import os

import jax
from jaxtyping import install_import_hook

DEVICES = 8
# The configuration is left out: a value of the wrong type must reach its own check, which says what is allowed.
CHECKED = (
    *("layers", "task", "models", "losses", "optimizers"),
    *(
        "training.metrics",
        "training.outputs",
        "training.sampling",
        "training.evaluation",
        "training.population",
        "training.memory",
    ),
    *("store.results", "store.measures", "store.chunks", "store.archive", "store.members", "store.frames"),
)

jax.config.update("jax_num_cpu_devices", DEVICES)
jax.config.update("jax_enable_x64", False)
# Shapes that differ in rank are never meant; a float64 that is asked for is a warning, which the tests make an error.
jax.config.update("jax_numpy_rank_promotion", "raise")
# Nearly every program here runs once, so that compiling in a hurry halves the time. The processes of
# test_reliability.py optimise as users' do; JAX_DISABLE_MOST_OPTIMIZATIONS=0 makes everything do so.
jax.config.update("jax_disable_most_optimizations", os.environ.get("JAX_DISABLE_MOST_OPTIMIZATIONS", "1") == "1")
# Nothing is kept outside of the tests' own folders, and compilations are counted.
os.environ["JAX_ENABLE_COMPILATION_CACHE"] = "false"
jax.config.update("jax_enable_compilation_cache", False)
install_import_hook([f"jaxbox.{name}" for name in CHECKED], "beartype.beartype")
# JAX starts here, before anything that a test calls can choose another number of devices.
assert len(jax.devices()) == DEVICES, "JAX started before tests/conftest.py"
