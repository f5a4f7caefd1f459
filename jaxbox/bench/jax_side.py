"""What all sides that compute with JAX share: what they say of their devices and of the memory there."""

import jax

from jaxbox.bench.side import Side


class JaxSide(Side):
    """A side on JAX's local devices."""

    def devices(self) -> list[str]:
        return [f"{device.platform}:{device.id} {device.device_kind}" for device in jax.local_devices()]

    def memory(self) -> dict[str, int]:
        """With the peak memory of the accelerators, if JAX knows it."""
        peaks = [(device.memory_stats() or {}).get("peak_bytes_in_use", 0) for device in jax.local_devices()]
        return super().memory() | ({"device": sum(peaks)} if any(peaks) else {})

    def free_memory(self) -> int:
        """Bytes that are free on the first accelerator; on the host if JAX does not know."""
        statistics = jax.local_devices()[0].memory_stats() or {}
        free = statistics.get("bytes_limit", 0) - statistics.get("bytes_in_use", 0)
        return free or super().free_memory()
