"""How the programs of tests are compiled, here and in processes of their own: in a hurry, as nearly all run once."""

import atexit
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import jax

ROOT = Path(__file__).parents[1]
IN_A_HURRY = os.environ.get("JAX_DISABLE_MOST_OPTIMIZATIONS", "1") == "1"
"""JAX_DISABLE_MOST_OPTIMIZATIONS=0 makes everything optimise as for a user."""
PLATFORMS = os.environ.get("JAX_PLATFORMS", "cpu")
"""What the tests compute on: the CPU, also where there is an accelerator, unless JAX_PLATFORMS says otherwise."""
# The emitters of before compile in a quarter of the time, and programs that are not split in nine tenths. XLA ends a
# process that sets a flag which it does not know.
QUICK = (
    "--xla_cpu_use_fusion_emitters=false --xla_cpu_parallel_codegen_split_count=1"
    if jax.version.__version_info__ < (0, 11)
    else ""
)
PROGRAMS = Path(tempfile.mkdtemp(prefix="jaxbox-tests-"))
"""Where this process of the tests keeps programs, for itself and for those that it starts one after the other: JAX does
not write them at one stroke."""
SHORTEST_SECONDS = 0.05
"""Programs that compile faster are not kept."""
atexit.register(shutil.rmtree, PROGRAMS, ignore_errors=True)


def environment(in_a_hurry: bool = IN_A_HURRY, keep: bool = True) -> dict[str, str]:
    """Of a process that starts as a user's: with one device a machine, and nothing kept outside of the tests' folders.

    Args:
        in_a_hurry: whether it compiles in a hurry.
        keep: whether it may use kept programs, which processes that run at the same time must not.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("XLA_", "JAX_", "PYTEST"))}
    kept |= {name: value for name, value in os.environ.items() if name.startswith("XLA_PYTHON_CLIENT")}
    kept |= {"PYTHONPATH": str(ROOT), "JAX_PLATFORMS": PLATFORMS}
    if keep and in_a_hurry:
        kept |= {"JAX_COMPILATION_CACHE_DIR": str(PROGRAMS)}
        kept |= {"JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": str(SHORTEST_SECONDS)}
    else:
        kept["JAX_ENABLE_COMPILATION_CACHE"] = "false"
    return kept | {"JAX_DISABLE_MOST_OPTIMIZATIONS": "1", "XLA_FLAGS": QUICK} if in_a_hurry else kept


def end(process: subprocess.Popen[str], seconds: float = 120.0) -> tuple[int, str, str]:
    """(exit code, output, errors) of a process once it has ended, which it must in time."""
    try:
        out, err = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()  # a pipe left open is a warning that fails whichever test runs when it is collected
        raise
    return process.returncode, out, err
