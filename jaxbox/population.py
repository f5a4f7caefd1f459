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

from jaxbox import evaluation, member, sampling
from jaxbox.config import Configuration, Static, traced
from jaxbox.sampling import Data

CACHE_BYTES = 64 * 2**20
"""On CPU a chunk's state stays near the caches' size: larger chunks gain nothing and answer Ctrl-C later."""
MEMBERS_IN_STEP = 8
STEP_STATE_BYTES = 2**20
NOISY_STEP_STATE_BYTES = 4 * 2**20
"""On CPU, where members share a batch, at most so many of them, with so much state, go through each step together:
with more under noise, which is then drawn less often."""


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


def float32_products() -> None:
    """Make products float32 where a device's own choice is less: TF32 on recent GPUs, bfloat16 on TPUs.

    Call it before anything is compiled. It leaves alone what JAX was told already (JAX_DEFAULT_MATMUL_PRECISION).
    """
    settings: Any = jax.config
    if jax.default_backend() != "cpu" and settings.jax_default_matmul_precision is None:
        settings.update("jax_default_matmul_precision", "highest")


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
        self._shares = group.static.configuration.shared_batches
        self._initialize = self._compiled(self._initialize_members, (True, True), True)
        self._prepare = self._compiled(self._prepare_members, (True, False), not self._shares)
        self._advance: Any = None

    @property
    def _turns(self) -> int:
        """How many turns the members of a device take in a chunk."""
        members = -(-self.members_per_chunk // len(self.devices))
        if self.devices[0].platform != "cpu":
            return 1
        if not self._shares:
            return members
        noisy = self.group.static.configuration.task.noise != "none"
        state_bytes = NOISY_STEP_STATE_BYTES if noisy else STEP_STATE_BYTES
        most = min(MEMBERS_IN_STEP, state_bytes // _bytes(self.abstract_state()))
        return -(-members // max(1, most))

    @property
    def _in_step(self) -> int:
        """How many members of a device go through each step together, in one turn."""
        return -(-self.members_per_chunk // (len(self.devices) * self._turns))

    def abstract_state(self) -> member.State:
        """Shapes and types of one member's state."""
        return jax.eval_shape(partial(member.initialize, self.group.static.configuration), jnp.uint32(0))

    def _affordable_members(self) -> int:
        state_bytes = _bytes((self.abstract_state(), self._abstract_data()))
        if self.devices[0].platform == "cpu":
            per_device = min(CACHE_BYTES, psutil.virtual_memory().available // (8 * len(self.devices)))
            return max(1, per_device // state_bytes) * len(self.devices)
        limit = (self.devices[0].memory_stats() or {}).get("bytes_limit", 8 * 2**30)
        return max(1, limit // 2 // (3 * state_bytes + self._step_bytes())) * len(self.devices)

    def _step_bytes(self) -> int:
        """Bytes of every intermediate value of one member's step, or of its evaluation if that has more: more than it
        ever holds at once."""
        configuration, first = self.group.static.configuration, jnp.int32(0)

        def step(state: Any, data: Any, seed: Any) -> Any:
            return member.train(configuration, state, data, seed, first, first + 1)

        def evaluate(state: Any, data: Any, seed: Any) -> Any:
            return evaluation.evaluate(configuration, state, data.seen)

        arguments = self.abstract_state(), self._abstract_data(), jax.ShapeDtypeStruct((), jnp.uint32)
        return max(_intermediate_bytes(jax.make_jaxpr(part)(*arguments).jaxpr) for part in (step, evaluate))

    def _abstract_data(self) -> Data:
        prepare = partial(sampling.prepare, self.group.static.configuration)
        return jax.eval_shape(prepare, jnp.uint32(0), jnp.int32(0))

    def _initialize_members(self, seeds: Any, floats: dict[str, Any]) -> member.State:
        def initialize(_: None, seed: Any, floats: dict[str, Any]) -> Any:
            return None, member.initialize(self.group.static.with_traced(floats), seed)

        return self._over_members(initialize, None, seeds, floats)[1]

    def _prepare_members(self, seeds: Any, step: Any) -> Data:
        prepare = partial(sampling.prepare, self.group.static.configuration)
        if self._shares:
            return prepare(seeds[0], step)
        return self._over_members(lambda _, seed: (None, prepare(seed, step)), None, seeds)[1]

    def _advance_members(
        self, state: Any, data: Data, seeds: Any, floats: dict[str, Any], first: Any, last: Any
    ) -> Any:
        def train(state: member.State, data: Data, seed: Any, floats: dict[str, Any]) -> Any:
            return member.train(self.group.static.with_traced(floats), state, data, seed, first, last)

        def independent(kept: Any, examples: Any, seen: Any, seed: Any, floats: dict[str, Any]) -> Any:
            state, after, measures = train(kept[0], Data(examples, kept[1], seen), seed, floats)
            return (state, after.order), measures

        def sharing(state: member.State, seed: Any, floats: dict[str, Any]) -> Any:
            # Data that vmap does not see are the same for all members: what follows from them is computed once.
            state, after, measures = train(state, data, seed, floats)
            return state, (after.order, measures)

        if self._shares:
            state, (orders, measures) = self._over_members(sharing, state, seeds, floats)
            order, seen = orders[0], jnp.broadcast_to(data.seen, (len(seeds), *data.seen.shape))
        else:
            kept = state, data.order
            (state, order), measures = self._over_members(independent, kept, data.examples, data.seen, seeds, floats)
            seen = data.seen
        measures |= evaluation.evaluate(self.group.static.configuration, state, seen, floats, self._each)
        return state, data._replace(order=order), measures | {"last_step": jnp.broadcast_to(last, seeds.shape)}

    def _each(self, function: Any, *values: Any) -> Any:
        """`function` of what each member of a device has, for one after the other on CPU, for all at once elsewhere."""
        if self.devices[0].platform != "cpu":
            return jax.vmap(function)(*values)
        return lax.map(lambda own: function(*own), values)

    def _over_members(self, function: Any, kept: Any, *values: Any) -> Any:
        """`function` (kept, values of one member) -> (kept, results), for all members of a device.

        Where members take turns, what is kept stays where it is in memory: a map would copy it to a new place.
        """
        turns, in_step = self._turns, self._in_step
        if in_step > 1:
            function = jax.vmap(function)
        shape = (turns, in_step) if in_step > 1 else (turns,)
        kept, values = jax.tree.map(lambda leaf: leaf.reshape(*shape, *leaf.shape[1:]), (kept, values))

        take, put = lax.dynamic_index_in_dim, lax.dynamic_update_index_in_dim

        def take_turn(kept: Any, turn: Any) -> Any:
            number, values = turn
            own, results = function(jax.tree.map(lambda leaf: take(leaf, number, 0, keepdims=False), kept), *values)
            return jax.tree.map(lambda leaf, new: put(leaf, new, number, 0), kept, own), results

        found = lax.scan(take_turn, kept, (jnp.arange(turns), values))
        return jax.tree.map(lambda leaf: leaf.reshape(-1, *leaf.shape[len(shape) :]), found)

    def _compiled(self, function: Any, own: Sequence[bool], own_result: Any, donate: Sequence[int] = ()) -> Any:
        """`function` of the members of a device -> the same over all devices.

        Args:
            own: which arguments hold something of each member; the others are the same for all.
            own_result: likewise, for the results.
        """
        spec = {True: PartitionSpec("member"), False: PartitionSpec()}
        ours, results = tuple(spec[mine] for mine in own), jax.tree.map(spec.get, own_result)
        mapped = jax.shard_map(function, mesh=self.mesh, in_specs=ours, out_specs=results, check_vma=False)
        shardings = tuple(NamedSharding(self.mesh, spec[mine]) for mine in own)
        return jax.jit(mapped, in_shardings=shardings, donate_argnums=tuple(donate))

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
        size = self._turns * self._in_step * len(self.devices)
        filled = jax.tree.map(lambda leaf: leaf[np.arange(size) % len(leaf)], tree)
        return jax.device_put(filled, NamedSharding(self.mesh, PartitionSpec("member")))

    def initialize(self, seeds: Any, floats: dict[str, Any]) -> member.State:
        """States before the first step, made on the devices where they will train."""
        return self._initialize(seeds, floats)

    def prepare(self, seeds: Any, step: int) -> Data:
        """What training a chunk from this step on needs to know of its examples."""
        return self._prepare(seeds, np.int32(step))

    def compile(self) -> float:
        """Compile `advance` unless that is done; returns the seconds that it takes, 0 if nothing was to be done."""
        if self._advance is not None:
            return 0.0
        start = time.perf_counter()
        seeds, floats = self.inputs(self.group.members()[:1])
        step, own = jnp.int32(0), not self._shares
        state, data = jax.eval_shape(self._initialize, seeds, floats), jax.eval_shape(self._prepare, seeds, step)
        ours, results = (True, own, True, True, False, False), (True, own, True)
        function = self._compiled(self._advance_members, ours, results, donate=(0, 1))
        self._advance = function.lower(state, data, seeds, floats, step, step).compile()
        self.compile_seconds = time.perf_counter() - start
        return self.compile_seconds

    def advance(
        self, state: member.State, data: Data, seeds: Any, floats: dict[str, Any], first: int, last: int
    ) -> tuple[member.State, Data, dict[str, jax.Array]]:
        """Train every member of a chunk from step `first` to `last`, then evaluate. `state` and `data` are consumed.

        Args:
            data: of `prepare` at `first`, or as the last call has left it.
        """
        if self._advance is None:
            self.compile()
        assert self._advance is not None
        return self._advance(state, data, seeds, floats, np.int32(first), np.int32(last))


def _bytes(tree: PyTree[Any]) -> int:
    return sum(leaf.size * leaf.dtype.itemsize for leaf in jax.tree.leaves(tree))


def _intermediate_bytes(jaxpr: Any) -> int:
    total = 0
    for equation in jaxpr.eqns:
        inner = [_intermediate_bytes(j) for j in jaxprs_in_params(equation.params)]
        total += sum(inner) + sum(v.aval.size * v.aval.dtype.itemsize for v in equation.outvars)
    return total
