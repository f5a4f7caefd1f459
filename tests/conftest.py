"""What every test shares: eight fake CPU devices, and signatures whose shapes and types are checked while tests run."""

import gc
import itertools
import os
from pathlib import Path

import hypothesis  # noqa: F401 - if first imported after gc.freeze, it warns
import jax
import pytest
from jaxtyping import install_import_hook
from processes import IN_A_HURRY, PLATFORMS, PROGRAMS, QUICK, SHORTEST_SECONDS

DEVICES = 8
# The configuration is left out: a value of the wrong type must reach its own check, which says what is allowed.
CHECKED = (
    *("layers", "task", "models", "losses", "optimizers", "schedules"),
    *(
        "training.metrics",
        "training.outputs",
        "training.sampling",
        "training.evaluation",
        "training.measuring",
        "training.strata",
    ),
    *("training.population", "training.rounds", "training.memory"),
    *("store.results", "store.measures", "store.chunks", "store.archive", "store.members", "store.frames"),
)

# The exact numbers are the CPU's; JAX_PLATFORMS=cuda,cpu tries the same on a GPU.
jax.config.update("jax_platforms", PLATFORMS)
jax.config.update("jax_num_cpu_devices", DEVICES)
jax.config.update("jax_enable_x64", False)
# As a sweep does: a GPU's own products have 10 bits.
if PLATFORMS != "cpu":
    jax.config.update("jax_default_matmul_precision", "highest")
# Shapes that differ in rank are never meant; a float64 that is asked for is a warning, which the tests make an error.
jax.config.update("jax_numpy_rank_promotion", "raise")
# The processes of test_reliability.py optimise as users' do.
jax.config.update("jax_disable_most_optimizations", IN_A_HURRY)
if IN_A_HURRY:
    os.environ["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} {QUICK}".strip()  # a blank is the name of a file
    # Where in the code each operation of a program comes from is not looked up; and garbage is collected less often.
    jax.config.update("jax_traceback_in_locations_limit", 0)
    gc.set_threshold(50_000, 20, 50)
# A run that is gone on with compiles its programs again: they are kept while the tests run, and no longer.
jax.config.update("jax_compilation_cache_dir", str(PROGRAMS))
jax.config.update("jax_persistent_cache_min_compile_time_secs", SHORTEST_SECONDS)
install_import_hook([f"jaxbox.{name}" for name in CHECKED], "beartype.beartype")
# JAX starts here, before anything that a test calls can choose another number of devices.
assert len(jax.devices("cpu")) == DEVICES, "JAX started before tests/conftest.py"
LONGEST = ("test_docs.py", "test_reliability.py", "test_executables.py", "test_browser.py", "test_page.py")
TESTS = itertools.count(1)
TESTS_BETWEEN_LOOKS = 50
MOST_MAPS = 12_000
MAPS = Path("/proc/self/maps")


def pytest_collection_modifyitems(items):
    """The longest tests come first, so that no worker is alone with one of them at the end."""
    items.sort(key=lambda item: item.path.name not in LONGEST)


def pytest_collection_finish():
    """What is imported by now stays, hypothesis too: garbage need not be looked for there."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def forget_programs():
    """Every program that JAX remembers has some memory maps, of which Linux allows a process 65,530; then it crashes."""
    yield
    # What is forgotten is compiled again: hence not before there is much, 3 GB, where that can be seen.
    if next(TESTS) % TESTS_BETWEEN_LOOKS == 0 and (not MAPS.exists() or MAPS.read_bytes().count(b"\n") > MOST_MAPS):
        jax.clear_caches()
        gc.collect()
