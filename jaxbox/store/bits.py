"""What the last bits of a run's numbers depend on beside its plan: kept when it begins, compared when it goes on."""

import platform
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import jax

from jaxbox.config import RunError

PROCESSOR = Path("/proc/cpuinfo")
VECTORS = ("avx", "avx2", "fma", "avx512f", "avx512bw", "avx512vl", "avx512_bf16", "avx512_fp16", "amx_tile", "sve")
"""Instruction sets for which XLA makes other programs."""
PACKAGES = ("jaxbox", "jax", "jaxlib", "flax", "optax")


def describe(devices: Sequence[Any]) -> dict[str, Any]:
    """What the bits of this process depend on, ready for JSON.

    Args:
        devices: over which it cuts a chunk's members.
    """
    settings: Any = jax.config
    on_cpu = devices[0].platform == "cpu"
    return {
        "devices": len(devices),
        "kind": devices[0].device_kind if not on_cpu else f"{platform.machine()} {' '.join(_vectors())}".strip(),
        "matmul_precision": settings.jax_default_matmul_precision or "default",
        "versions": ", ".join(f"{name} {version(name)}" for name in PACKAGES),
    }


def _vectors() -> list[str]:
    """Those of VECTORS that this processor has, where the system says."""
    try:
        lines = PROCESSOR.read_text().splitlines()
    except OSError:
        return []
    flags = next((set(line.split()) for line in lines if line.startswith(("flags", "Features"))), set())
    return [name for name in VECTORS if name in flags]


def difference(begun_with: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    """The first thing in which this process differs from that with which a run was begun; nothing if none does."""
    for name, before in begun_with.items():
        if now[name] != before:
            return f"begun with {name.replace('_', ' ')} {before}, here it is {now[name]}"
    return ""


def require_same(run: Path, begun_with: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    """Refuse to go on with a run where its members would get other last bits.

    Raises:
        RunError: the first thing that differs, and how to go on all the same.
    """
    if found := difference(begun_with, now):
        devices = begun_with["devices"]
        hint = f"--worker_devices {devices}, or " if now["devices"] != devices else ""
        raise RunError(f"run: {run} was {found}; give {hint}--other_bits to go on with numbers whose last bits differ")
