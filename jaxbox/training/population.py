"""The compiled programs of one group over the local devices: members are cut into chunks, and a chunk over devices."""

import copy
import math
from collections.abc import Callable, Sequence
from functools import cached_property, partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec
from jaxtyping import Array, Float, Int, PyTree, UInt32

from jaxbox.config import TRACED, Block, tables, traced
from jaxbox.training import evaluation, executables, member, memory, sampling, sealing, strata, trusting
from jaxbox.training.groups import Group
from jaxbox.training.member import State
from jaxbox.training.rounds import Live, Rounds
from jaxbox.training.sampling import Drawn

MEMBERS_ASKED = 16
"""Of whose program the memory that one member needs is known: what all share, such as the evaluation's images, counts
for each of so many. A single one would need over twice what it needs among others (59 instead of 25 MiB, a cnn)."""


class Options(NamedTuple):
    """What the compiler is told: of the program that trains, and of those that run once a chunk."""

    advance: dict[str, bool | int] | None = None
    once: dict[str, bool | int] | None = None


COMPILER_OPTIONS = {
    "cpu": Options({"xla_llvm_disable_expensive_passes": True}, {"xla_backend_optimization_level": 1}),
    "gpu": Options({"xla_gpu_enable_triton_gemm": False}),
}
"""By platform. On CPU a cnn's programs compile in three quarters of the time, are as fast, and compute the same bits.
On GPU, products are the vendor's: trying Triton's, too, makes a cnn's program compile in 52 instead of 6.5 s, for steps
that are 6% faster (an H200, 64 members at 16 x 16)."""

PER_MEMBER, SHARED = PartitionSpec("member"), PartitionSpec()
"""Arrays with a leading members' axis, and arrays that are the same for all members."""

Seeds = UInt32[Array, " members"]
Floats = dict[str, Float[Array, " members"]]
"""The traced fields of each member's configuration, by dotted path."""
Places = Int[np.ndarray, " places"]
"""For each place of a full chunk, a member of the chunk."""
Measures = dict[str, Array]
"""By name in the tables of `metrics`, each with a leading members' axis."""


class Population:
    """The compiled programs of one group over the local devices.

    Args:
        group: which members.
        members_per_chunk: most members trained together between evaluations; None chooses by memory.
            Each chunk is filled with copies, dropped afterwards, to one size that fits the devices.
        devices: the local devices by default.
        exactly: the size is `members_per_chunk`; else it is as much less as makes chunks of the first block equal.
        drops: `advance` is told which members are live, leaves out the others, and says whose fate is sealed.
    """

    def __init__(
        self,
        group: Group,
        members_per_chunk: int | None = None,
        devices: Sequence[Any] | None = None,
        exactly: bool = False,
        drops: bool = False,
    ):
        self.group, self.drops = group, drops
        self.devices = list(devices or jax.local_devices())
        self.mesh = Mesh(np.array(self.devices), ("member",))
        self._configuration = group.static.configuration
        size, count = members_per_chunk or self._affordable_members(), group.blocks[0].member_count
        chunks = -(-count // min(size, count))
        self.members_per_chunk = size if exactly else -(-count // chunks)
        # Members whose laws or splits differ have no batch in common, though each draws its own with seed 0's keys.
        varied = {path for path in TRACED if path.startswith("data.")} & tables.fields_read(self._configuration)
        self._shares_batches = self._configuration.data.shared_batches and not varied
        self._data_spec = SHARED if self._shares_batches else PER_MEMBER
        self._initialize = self._compiled(self._initialize_members, (PER_MEMBER, PER_MEMBER), PER_MEMBER)
        specs = PER_MEMBER, PER_MEMBER, SHARED
        self._prepare = self._compiled(self._prepare_members, specs, self._data_spec)
        self._advance: Any = None

    def of(self, group: Group) -> "Population":
        """The same programs for a group that has the same static fields, as one that has grown."""
        assert group.static == self.group.static
        other = copy.copy(self)
        other.group = group
        return other

    @property
    def options(self) -> Options:
        """What the compiler is told on these devices."""
        settings: Any = jax.config
        if settings.values.get("jax_disable_most_optimizations"):  # whoever says so has chosen
            return Options()
        return COMPILER_OPTIONS.get(self.devices[0].platform, Options())

    @property
    def rounds(self) -> Rounds:
        """How the members of a chunk share a device."""
        members = -(-self.members_per_chunk // len(self.devices))
        noisy = self._configuration.task.noise != "none"
        given = self.devices[0].platform, members, self._shares_batches, noisy
        return Rounds.of(*given, lambda: memory.tree_bytes(self.abstract_state))

    @cached_property
    def abstract_state(self) -> State:
        """Shapes and types of one member's state."""
        return member.abstract_state(self.group.static)

    def _affordable_members(self) -> int:
        prepare = partial(sampling.prepare, self._configuration)
        data = jax.eval_shape(prepare, jnp.uint32(0), jnp.int32(0))
        kept = memory.tree_bytes((self.abstract_state, data))
        return memory.affordable_members(self.devices[0], len(self.devices), kept, self._member_bytes)

    def _member_bytes(self) -> int:
        """Bytes that one member needs while it trains among others, as the compiled program of a few says."""
        index, configuration = self.group.configurations[0]
        few = Group(self.group.static, ((index, configuration),), (Block((index,), 0, MEMBERS_ASKED),))
        together = Population(few, MEMBERS_ASKED, self.devices[:1])
        return -(-_bytes_of(together.lower().compile(together.options.advance)) // MEMBERS_ASKED)

    def program_bytes(self) -> int:
        """Bytes that the compiled program holds on one device: arguments, results and temporary values."""
        return _bytes_of(self._advance)

    def _initialize_members(self, seeds: Seeds, floats: Floats) -> State:
        def initialize(_: None, seed: Any, floats: dict[str, Any]) -> tuple[None, State]:
            return None, member.initialize(self.group.static.with_traced(floats), seed)

        return self.rounds.over_members(initialize, None, seeds, floats)[1]

    def _prepare_members(self, seeds: Seeds, floats: Floats, step: Int[Array, ""]) -> Drawn:
        def prepare(_: None, seed: Any, floats: dict[str, Any]) -> tuple[None, Drawn]:
            return None, sampling.prepare(self.group.static.with_traced(floats), seed, step)

        if self._shares_batches:
            return sampling.prepare(self._configuration, seeds[0], step)
        return self.rounds.over_members(prepare, None, seeds, floats)[1]

    def _advance_members(
        self,
        state: State,
        data: Drawn,
        seeds: Seeds,
        floats: Floats,
        first: Int[Array, ""],
        last: Int[Array, ""],
        whole: evaluation.Whole | None = None,
        live: Live | None = None,
    ) -> tuple[State, Drawn, Measures]:
        rounds = self.rounds
        trainer = trusting if rounds.on_cpu and rounds.together == 1 else member

        def train(state: State, data: Drawn, seed: Any, floats: dict[str, Any]) -> tuple[State, Drawn, Measures]:
            return trainer.train(self.group.static.with_traced(floats), state, data, seed, first, last)

        def independent(kept: Any, examples: Any, seen: Any, seed: Any, floats: dict[str, Any]) -> Any:
            state, after, measures = train(kept[0], Drawn(examples, kept[1], seen), seed, floats)
            return (state, after.order), measures

        def sharing(state: State, seed: Any, floats: dict[str, Any]) -> Any:
            # Drawn that vmap does not see are the same for all members: what follows from them is computed once.
            state, after, measures = train(state, data, seed, floats)
            return state, (after.order, measures)

        if self._shares_batches:
            state, (orders, measures) = rounds.over_members(sharing, state, seeds, floats, live=live)
            order, seen = orders[0], jnp.broadcast_to(data.seen, (len(seeds), *data.seen.shape))
            if live is not None:  # the first member may have been left out
                order = sampling.prepare(self._configuration, seeds[0], last).order
        else:
            kept = state, data.order
            found = rounds.over_members(independent, kept, data.examples, data.seen, seeds, floats, live=live)
            (state, order), measures = found
            seen = data.seen
        step = jnp.broadcast_to(last, seeds.shape)
        map_live = None if live is None else partial(rounds.map_live, live)
        with jax.named_scope("evaluation"):
            # All are measured, which costs little: with some left out, measures would have other last bits.
            given = self._configuration, state, seen, step, floats, rounds.map_members, whole, map_live
            measures |= evaluation.evaluate(*given)
            if map_live is not None:
                measures["dropped_step"] = map_live(self._dropped_step, state, measures["dead_fraction"], step, floats)
        return state, data._replace(order=order), measures

    def _advance_live(self, *given: Any) -> tuple[State, Drawn, Measures]:
        return self._advance_members(*given[:-1], live=given[-1])

    def _dropped_step(self, state: State, dead_fraction: Any, step: Any, floats: dict[str, Any]) -> Int[Array, ""]:
        return sealing.dropped_step(self.group.static.with_traced(floats), state, dead_fraction, step)

    def _compiled(self, function: Callable[..., Any], specs: Any, result_specs: Any, donate: Sequence[int] = ()) -> Any:
        """`function` of the members of a device -> the same over all devices.

        Args:
            specs: PER_MEMBER or SHARED, for each argument.
            result_specs: likewise, for the results.
            donate: which arguments are consumed.
        """
        mapped = jax.shard_map(function, mesh=self.mesh, in_specs=specs, out_specs=result_specs, check_vma=False)
        # Those of results are said, too: of arrays without any element JAX would forget them.
        shardings, results = jax.tree.map(partial(NamedSharding, self.mesh), (specs, result_specs))
        return jax.jit(mapped, in_shardings=shardings, out_shardings=results, donate_argnums=tuple(donate))

    def chunks(self) -> list[list[tuple[int, int]]]:
        """The members of each chunk, as in `Group.chunks`."""
        return self.group.chunks(self.members_per_chunk)

    def inputs(self, chunk: Sequence[tuple[int, int]], places: Places | None = None) -> tuple[Seeds, Floats]:
        """(seeds, traced floats) of a chunk, filled up and laid out over the devices, as `fill` does."""
        configurations = dict(self.group.configurations)
        floats = {index: traced(configurations[index]) for index in dict.fromkeys(index for index, _ in chunk)}
        names = next(iter(floats.values()))
        values = {name: np.array([floats[index][name] for index, _ in chunk], np.float32) for name in names}
        return self.fill((np.array([seed for _, seed in chunk], np.uint32), values), places)

    @property
    def places(self) -> tuple[int, int, int]:
        """The shape of a full chunk: devices, rounds of a device, and members of a round."""
        rounds = self.rounds
        return len(self.devices), rounds.count, rounds.together

    def fill(self, tree: PyTree[np.ndarray], places: Places | None = None) -> Any:
        """Arrays with a leading members' axis, repeated to the size of a full chunk and laid out over the devices.

        Args:
            places: which member has each place, if not each the next one.
        """
        size = math.prod(self.places)
        filled = jax.tree.map(lambda leaf: leaf[np.arange(size) % len(leaf) if places is None else places], tree)
        return jax.device_put(filled, NamedSharding(self.mesh, PER_MEMBER))

    def initialize(self, seeds: Seeds, floats: Floats) -> State:
        """States before the first step, made on the devices where they will train."""
        return self._initialize(seeds, floats)

    def prepare(self, seeds: Seeds, floats: Floats, step: int) -> Drawn:
        """What training a chunk from this step on needs to know of its examples."""
        return self._prepare(seeds, floats, np.int32(step))

    def lower(self) -> Any:
        """`advance` as `jax.jit` lowers it, not yet compiled; what it is called with follows from the group."""
        seeds, floats = self._any_inputs
        step = jnp.int32(0)
        state = jax.eval_shape(self._initialize, seeds, floats)
        data = jax.eval_shape(self._prepare, seeds, floats, step)
        told = self.flags(whole=True, live=self.fill(np.ones(1, bool)))
        return self.program.lower(state, data, seeds, floats, step, step, *told)

    def flags(self, whole: bool, live: Live | None = None) -> tuple[Any, ...]:
        """What the program that trains is told beside its steps: nothing where evaluations look at all positions and
        nobody is dropped."""
        if self.drops:
            return (live,)
        return (np.bool_(whole),) if self.samples else ()

    @cached_property
    def samples(self) -> bool:
        """Whether evaluations on the way look at a sample of the positions. Whoever drops looks at all: a layer is dead
        that no position lights."""
        return not self.drops and strata.samples(self._configuration)

    @cached_property
    def program(self) -> Any:
        """The function behind `advance`, jitted over the devices."""
        specs = (PER_MEMBER, self._data_spec, PER_MEMBER, PER_MEMBER, SHARED, SHARED)
        specs += (PER_MEMBER if self.drops else SHARED,) * len(self.flags(whole=True))
        results = (PER_MEMBER, self._data_spec, PER_MEMBER)
        function = self._advance_live if self.drops else self._advance_members
        return self._compiled(function, specs, results, donate=(0, 1))

    @property
    def _any_inputs(self) -> tuple[Seeds, Floats]:
        return self.inputs(self.group.members()[:1])

    def compile(self) -> None:
        """Compile every program unless that is done, here or by an earlier process that kept them."""
        if self._advance is not None:
            return
        own = self.group.static, self.members_per_chunk, self.devices
        told = self.options.advance, self.options.once, self.options.once
        programs = executables.compiled(*own, self._lower_all, told, "drops" if self.drops else "")
        self._advance, self._initialize, self._prepare = programs

    def _lower_all(self) -> list[Any]:
        initialize = self._initialize.lower(*self._any_inputs)
        return [self.lower(), initialize, self._prepare.lower(*self._any_inputs, np.int32(0))]

    def advance(
        self,
        state: State,
        data: Drawn,
        seeds: Seeds,
        floats: Floats,
        first: int,
        last: int,
        whole: bool = True,
        live: Live | None = None,
    ) -> tuple[State, Drawn, Measures]:
        """Train every member of a chunk from step `first` to `last`, then evaluate. `state` and `data` are consumed.

        Args:
            data: of `prepare` at `first`, or as the last call has left it.
            whole: evaluate at all positions; else at a sample, if there is one, and without FINALS' predictions.
            live: of a population that drops, which members train: the others keep their states, and their measures mean
                nothing.
        """
        if self._advance is None:
            self.compile()
        assert self._advance is not None
        given = state, data, seeds, floats, np.int32(first), np.int32(last)
        return self._advance(*given, *self.flags(whole, live))


def _bytes_of(program: Any) -> int:
    found = program.memory_analysis()
    held = found.argument_size_in_bytes + found.output_size_in_bytes - found.alias_size_in_bytes
    return held + found.temp_size_in_bytes
