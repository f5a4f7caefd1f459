"""Where compiled programs are kept between processes, so that a sweep like an earlier one starts training at once."""

import hashlib
import platform
from pathlib import Path
from typing import Any

import jax
import platformdirs

from jaxbox.training import executables

REMOTE = "://"
"""In the name of a folder that is none of this machine's."""
SHORTEST_SECONDS = 0.1
"""Programs that compile faster are not kept."""


def keep_programs() -> Path | None:
    """Turn JAX's persistent compilation cache on, in the user's cache folder, and return that folder.

    None if JAX was told where to keep programs already (JAX_COMPILATION_CACHE_DIR; whole ones are kept there, too) or
    not to (JAX_ENABLE_COMPILATION_CACHE=false), or if the folder cannot be written.
    """
    settings: Any = jax.config
    if not settings.jax_enable_compilation_cache:
        return None
    if told := settings.jax_compilation_cache_dir:
        if REMOTE not in told:
            executables.keep_in(Path(told))
        return None
    folder = platformdirs.user_cache_path("jaxbox") / _processor()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return None
    settings.update("jax_compilation_cache_dir", str(folder))
    settings.update("jax_persistent_cache_min_compile_time_secs", SHORTEST_SECONDS)
    executables.keep_in(folder)
    return folder


def _processor() -> str:
    """A name for what this machine can execute: home folders are shared by machines that differ."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        abilities = sorted({line for line in lines if line.startswith(("model name", "flags", "Features"))})
    except OSError:
        abilities = [platform.processor()]
    return f"{platform.machine()}-{hashlib.sha256(''.join(abilities).encode()).hexdigest()[:16]}"
