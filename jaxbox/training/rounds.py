"""How the members of a chunk share a device: chosen by backend, here and nowhere else.

On CPU they train one after another, in rounds of one, so that one member's parameters stay in cache while it trains;
elsewhere all are in one round.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool

from jaxbox.training import skipping

MEMBERS_PER_ROUND = 8
ROUND_STATE_BYTES = 2**20
NOISY_ROUND_STATE_BYTES = 4 * 2**20
"""On CPU, where members share a batch: upper limits on members, and on bytes of state, per round. Under noise, which is
drawn once a round, larger rounds pay."""

Live = Bool[Array, " members"]
"""Which members are trained."""


class Rounds(NamedTuple):
    """`count` rounds, one after another, of `together` members that go through each step at once; the members of a
    device come in the order of their rounds."""

    on_cpu: bool
    count: int
    together: int

    @classmethod
    def of(
        cls, platform: str, members: int, shares_batches: bool, noisy: bool, state_bytes: Callable[[], int]
    ) -> "Rounds":
        """Those of a device.

        Args:
            members: of the device; the rounds may have places for a few more.
            shares_batches: whether all members train on the same batches.
            noisy: whether noise is drawn.
            state_bytes: says how many one member's state has; asked only where it matters, since it traces the network.
        """
        if platform != "cpu":
            return cls(False, 1, members)
        if not shares_batches:
            return cls(True, members, 1)
        most_bytes = NOISY_ROUND_STATE_BYTES if noisy else ROUND_STATE_BYTES
        count = -(-members // max(1, min(MEMBERS_PER_ROUND, most_bytes // state_bytes())))
        return cls(True, count, -(-members // count))

    def map_members(self, function: Callable[..., Any], *values: Any) -> Any:
        """`function` of what each member of a device has, for one after the other on CPU, for all at once elsewhere."""
        if not self.on_cpu:
            return jax.vmap(function)(*values)
        return lax.map(lambda own: function(*own), values)

    def map_live(self, live: Live, function: Callable[..., Any], *values: Any) -> Any:
        """The same; on CPU zeros for members that are not live."""
        if not self.on_cpu:
            return jax.vmap(function)(*values)
        return lax.map(lambda own: skipping.mapped(function, *own), (live, *values))

    def over_members(self, function: Callable[..., Any], kept: Any, *values: Any, live: Live | None = None) -> Any:
        """`function` (kept, values of one member) -> (kept, results), for all members of a device.

        Between rounds, what is kept stays where it is in memory: a map would copy it to a new place.

        Args:
            live: rounds without any such member are left out; their results are zeros.
        """
        if self.together > 1:
            function = jax.vmap(function)
        if live is not None:
            function, values = partial(skipping.round_of, function), (live, *values)
        shape = (self.count, self.together) if self.together > 1 else (self.count,)
        kept, values = jax.tree.map(lambda leaf: leaf.reshape(*shape, *leaf.shape[1:]), (kept, values))

        take, put = lax.dynamic_index_in_dim, lax.dynamic_update_index_in_dim

        def play_round(kept: Any, numbered: Any) -> Any:
            number, values = numbered
            own, results = function(jax.tree.map(lambda leaf: take(leaf, number, 0, keepdims=False), kept), *values)
            return jax.tree.map(lambda leaf, new: put(leaf, new, number, 0), kept, own), results

        found = lax.scan(play_round, kept, (jnp.arange(self.count), values))
        # The members are counted, not inferred: an endless stream has arrays without any element.
        members = self.count * self.together
        return jax.tree.map(lambda leaf: leaf.reshape(members, *leaf.shape[len(shape) :]), found)
