"""Many members: one compiled program a group, members cut into chunks that fit in memory and over the devices.

How members share a device is chosen by backend, here and nowhere else: on CPU they take turns, so
that one member's parameters stay in cache while it trains; elsewhere they go through each step together.
"""

import contextlib
import dataclasses
import os
import time
from collections.abc import Sequence
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import psutil
from jax import lax
from jax.extend.core import jaxprs_in_params
from jax.sharding import Mesh, NamedSharding, PartitionSpec
from jaxtyping import PyTree

from jaxbox import member
from jaxbox.config import Configuration, Static, traced

CACHE_BYTES = 64 * 2**20
"""On CPU a chunk's state stays near the caches' size: larger chunks gain nothing and answer Ctrl-C later."""


@dataclasses.dataclass(frozen=True)
class Group:
    """Configurations that share one program; `configurations` are (index in the sweep, configuration)."""

    static: Static
    configurations: tuple[tuple[int, Configuration], ...]
    seeds: int

    def members(self) -> list[tuple[int, int]]:
        """(index of the configuration in the sweep, seed) of each member, seeds fastest."""
        return [(index, seed) for index, _ in self.configurations for seed in range(self.seeds)]


def group(configurations: Sequence[Configuration], seeds: int) -> list[Group]:
    """Groups in order of their first configuration."""
    found: dict[Static, list[tuple[int, Configuration]]] = {}
    for index, configuration in enumerate(configurations):
        found.setdefault(Static.of(configuration), []).append((index, configuration))
    return [Group(static, tuple(members), seeds) for static, members in found.items()]


def one_device_per_core() -> None:
    """Make each CPU core a device of its own; call it before JAX computes anything, else it changes nothing.

    Members sharded over such devices train nearly twice as fast on two cores as on one device that splits each
    product. Devices that are not CPUs are left as they are.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    flags = os.environ.get("XLA_FLAGS", "")
    if "xla_force_host_platform_device_count" in flags:
        return
    with contextlib.suppress(RuntimeError):  # raised once a backend is in use
        jax.config.update("jax_num_cpu_devices", cores)
        os.environ["XLA_FLAGS"] = f"{flags} --xla_cpu_multi_thread_eigen=false".strip()


class Population:
    """The compiled programs of one group over the local devices.

    Args:
        group: which members.
        members_per_chunk: the most members that train between two looks of the host; None chooses by memory.
            Chunks are of equal size, and each is filled with copies, dropped afterwards, to fit the devices.
        devices: the local devices by default.
    """

    def __init__(self, group: Group, members_per_chunk: int | None = None, devices: Sequence[Any] | None = None):
        self.group = group
        self.devices = list(devices or jax.local_devices())
        self.mesh = Mesh(np.array(self.devices), ("member",))
        count = len(group.members())
        chunks = -(-count // min(members_per_chunk or self._affordable_members(), count))
        self.members_per_chunk = -(-count // chunks)
        self.compile_seconds = 0.0
        self._initialize = self._over_members(self._initialize_member, shared=0)
        self._advance: Any = None

    def abstract_state(self) -> member.State:
        """Shapes and types of one member's state."""
        return jax.eval_shape(partial(member.initialize, self.group.static.configuration), jnp.uint32(0))

    def _affordable_members(self) -> int:
        state_bytes = sum(leaf.size * leaf.dtype.itemsize for leaf in jax.tree.leaves(self.abstract_state()))
        state_bytes += 16 * self.group.static.configuration.task.train_size
        if self.devices[0].platform == "cpu":
            per_device = min(CACHE_BYTES, psutil.virtual_memory().available // (8 * len(self.devices)))
            return max(1, per_device // state_bytes) * len(self.devices)
        limit = (self.devices[0].memory_stats() or {}).get("bytes_limit", 8 * 2**30)
        return max(1, limit // 2 // (3 * state_bytes + self._step_bytes())) * len(self.devices)

    def _step_bytes(self) -> int:
        """Bytes of every intermediate value of one member's step, or of its evaluation if that has more: more than it
        ever holds at once."""
        configuration, first = self.group.static.configuration, jnp.int32(0)

        def step(state: Any, seed: Any) -> Any:
            return member.train(configuration, state, seed, first, first + 1)

        def evaluate(state: Any, seed: Any) -> Any:
            return member.evaluate(configuration, state, seed)

        arguments = self.abstract_state(), jax.ShapeDtypeStruct((), jnp.uint32)
        return max(_intermediate_bytes(jax.make_jaxpr(part)(*arguments).jaxpr) for part in (step, evaluate))

    def _initialize_member(self, seed: Any, floats: dict[str, Any]) -> member.State:
        return member.initialize(self.group.static.with_traced(floats), seed)

    def _advance_member(self, state: member.State, seed: Any, floats: dict[str, Any], first: Any, last: Any) -> Any:
        configuration = self.group.static.with_traced(floats)
        state, measures = member.train(configuration, state, seed, first, last)
        return state, measures | member.evaluate(configuration, state, seed) | {"last_step": last}

    def _over_members(self, function: Any, shared: int) -> Any:
        """`function` over a chunk's members, on all devices; the last `shared` arguments are the same for all."""

        def over_members(*arguments: Any) -> Any:
            batched, common = arguments[: len(arguments) - shared], arguments[len(arguments) - shared :]
            if self.devices[0].platform == "cpu":
                return lax.map(lambda values: function(*values, *common), batched)
            return jax.vmap(lambda *values: function(*values, *common))(*batched)

        def sharded(*arguments: Any) -> Any:
            split, same = PartitionSpec("member"), PartitionSpec()
            specs = (split,) * (len(arguments) - shared) + (same,) * shared
            mapped = jax.shard_map(over_members, mesh=self.mesh, in_specs=specs, out_specs=split, check_vma=False)
            return mapped(*arguments)

        return jax.jit(sharded, donate_argnums=0 if shared else None)

    def chunks(self) -> list[list[tuple[int, int]]]:
        """The members of each chunk, as in `Group.members`."""
        members, size = self.group.members(), self.members_per_chunk
        return [members[start : start + size] for start in range(0, len(members), size)]

    def inputs(self, chunk: Sequence[tuple[int, int]]) -> tuple[Any, dict[str, Any]]:
        """(seeds, traced floats) of a chunk, filled up and laid out over the devices."""
        floats = {index: traced(configuration) for index, configuration in self.group.configurations}
        names = next(iter(floats.values()))
        values = {name: np.array([floats[index][name] for index, _ in chunk], np.float32) for name in names}
        return self.fill((np.array([seed for _, seed in chunk], np.uint32), values))

    def fill(self, tree: PyTree[np.ndarray]) -> PyTree[jax.Array]:
        """Arrays with a leading members' axis, repeated to the size of a full chunk and laid out over the devices."""
        size = -(-self.members_per_chunk // len(self.devices)) * len(self.devices)
        filled = jax.tree.map(lambda leaf: leaf[np.arange(size) % len(leaf)], tree)
        return jax.device_put(filled, NamedSharding(self.mesh, PartitionSpec("member")))

    def initialize(self, seeds: Any, floats: dict[str, Any]) -> member.State:
        """States before the first step, made on the devices where they will train."""
        return self._initialize(seeds, floats)

    def compile(self) -> float:
        """Compile `advance` unless that is done; returns the seconds that it takes, 0 if nothing was to be done."""
        if self._advance is not None:
            return 0.0
        start = time.perf_counter()
        seeds, floats = self.inputs(self.group.members()[:1])
        state = jax.eval_shape(self._initialize, seeds, floats)
        state = jax.tree.map(lambda leaf: jax.ShapeDtypeStruct(leaf.shape, leaf.dtype, sharding=seeds.sharding), state)
        function = self._over_members(self._advance_member, shared=2)
        self._advance = function.lower(state, seeds, floats, jnp.int32(0), jnp.int32(0)).compile()
        self.compile_seconds = time.perf_counter() - start
        return self.compile_seconds

    def advance(
        self, state: member.State, seeds: Any, floats: dict[str, Any], first: int, last: int
    ) -> tuple[member.State, dict[str, jax.Array]]:
        """Train every member of a chunk from step `first` to `last`, then evaluate. `state` is consumed."""
        if self._advance is None:
            self.compile()
        assert self._advance is not None
        return self._advance(state, seeds, floats, jnp.int32(first), jnp.int32(last))


def _intermediate_bytes(jaxpr: Any) -> int:
    total = 0
    for equation in jaxpr.eqns:
        inner = [_intermediate_bytes(j) for j in jaxprs_in_params(equation.params)]
        total += sum(inner) + sum(v.aval.size * v.aval.dtype.itemsize for v in equation.outvars)
    return total
