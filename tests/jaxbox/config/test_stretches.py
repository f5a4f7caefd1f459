"""Stretches of integers against sets of them."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from jaxbox.config import stretches

STRETCH = st.builds(lambda start, length: range(start, start + length), st.integers(0, 12), st.integers(1, 6))
SOME = st.lists(STRETCH, max_size=5)


def listed(found):
    """The integers, in the order in which the stretches have them."""
    return [number for stretch in found for number in stretch]


@given(SOME, SOME)
def test_they_are_sets_of_integers(one, other):
    assert listed(stretches.union(one)) == sorted({*listed(one)})
    assert listed(stretches.difference(one, other)) == sorted({*listed(one)} - {*listed(other)})


@given(SOME)
def test_a_union_has_as_few_stretches_as_it_takes(some):
    found = stretches.union(some)
    assert all(before.stop < after.start for before, after in itertools.pairwise(found))


def test_as_many_as_there_are_seeds_take_no_memory():
    every = range(2**31)
    assert stretches.difference([every], [range(5)]) == [range(5, 2**31)]
    assert stretches.in_words([range(4), range(8, 10)]) == "0 to 3, 8 to 9"
