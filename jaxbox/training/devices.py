"""What JAX is told before it computes anything: one device a CPU core, float32 products.

JAX is imported only there, so that whoever asks for the number of cores does not load it.
"""

import contextlib
import os
from typing import Any

from jaxbox.config import ConfigurationError

ONE_THREAD = "--xla_cpu_multi_thread_eigen=false"
"""Tells XLA not to split a product: each core has members of its own."""


def cores() -> int:
    """CPU cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def one_device_per_core(count: int | None = None) -> str:
    """Make each CPU core a device of its own; call it before JAX computes anything.

    Args:
        count: of devices, rather than as many as cores.

    Members sharded over such devices train nearly twice as fast on two cores as on one device that splits each
    product. Devices that are not CPUs are left as they are.

    Returns:
        A line that says what is lost where it comes too late; empty if nothing is.
    """
    import jax

    flags = os.environ.get("XLA_FLAGS", "")
    if "xla_force_host_platform_device_count" in flags or "JAX_NUM_CPU_DEVICES" in os.environ:
        return ""
    with contextlib.suppress(RuntimeError):  # raised once a backend is in use
        jax.config.update("jax_num_cpu_devices", count or cores())
        if ONE_THREAD not in flags:  # flags are part of a kept program's key, also a flag that is said twice
            os.environ["XLA_FLAGS"] = f"{flags} {ONE_THREAD}".strip()
        return ""
    if jax.default_backend() != "cpu" or jax.local_device_count() >= (count or cores()):
        return ""
    return (
        f"JAX was in use before this sweep, so {jax.local_device_count()} of {cores()} CPU cores train; "
        f"use JAX later, or start Python with XLA_FLAGS=--xla_force_host_platform_device_count={cores()}"
    )


def local(count: int | None = None) -> list[Any]:
    """The local devices, or the first `count` of them.

    Raises:
        ConfigurationError: there are not as many.
    """
    import jax

    found = jax.local_devices()
    if count is not None and count > len(found):
        raise ConfigurationError(f"worker_devices: {count} is not allowed; here are {len(found)}")
    return found[:count]


def float32_products() -> None:
    """Make products float32 where a device's own choice is less: TF32 on recent GPUs, bfloat16 on TPUs.

    Call it before anything is compiled. It leaves alone what JAX was told already (JAX_DEFAULT_MATMUL_PRECISION).
    """
    import jax

    settings: Any = jax.config
    if jax.default_backend() != "cpu" and settings.jax_default_matmul_precision is None:
        settings.update("jax_default_matmul_precision", "highest")
