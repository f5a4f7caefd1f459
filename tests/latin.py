"""Cases that are products of three lists or more, of which the suite tries a part; the others are slow."""

import itertools

import pytest


def latin(*axes):
    """Every combination of the values of some lists, or dictionaries by name; slow but for those in which any two meet.

    As in a Latin square, that is where the values' numbers add up to a multiple of the shortest axis' length: two of
    them leave one remainder for the others, and every axis has each. Values that are tuples are several arguments.
    """
    named_axes = [axis if isinstance(axis, dict) else dict(zip(axis, axis, strict=True)) for axis in axes]
    shortest, cases = min(map(len, axes)), []
    for numbered in itertools.product(*(enumerate(axis.items()) for axis in named_axes)):
        numbers, named = zip(*numbered, strict=True)
        names, values = zip(*named, strict=True)
        arguments = [each for value in values for each in (value if isinstance(value, tuple) else (value,))]
        marks = [pytest.mark.slow] if sum(numbers) % shortest else []
        cases.append(pytest.param(*arguments, id="-".join(map(str, names)), marks=marks))
    return cases
