"""What `--advise` prints: for each configuration the rate of collapse to expect, and the largest safe learning rate."""

from collections.abc import Iterator, Sequence

from jaxbox import config, forecast
from jaxbox.config import Configuration, ConfigurationError

HEADING = f"""What the law of the collapse expects, without any training: the share of networks that lose a layer within
50 steps, and the largest learning rate that keeps it at {forecast.SAFE:.0%}. README says how often that holds."""
SHOWN = 3
"""At most so many of the things in which a configuration goes beyond what the law was fitted on are named."""


def lines(configurations: Sequence[Configuration]) -> Iterator[str]:
    """A line for each configuration, by what tells it from the others, after a heading."""
    yield HEADING
    for label, configuration in zip(labels(configurations), configurations, strict=True):
        yield f"{label}: {_advice(configuration)}"


def labels(configurations: Sequence[Configuration]) -> list[str]:
    """The fields in which each configuration differs from others; the learning rate where there is one alone."""
    leaves = [dict(config.flatten(each)) for each in configurations]
    every = list(dict.fromkeys(path for own in leaves for path in own))
    varied = [path for path in every if len({repr(own.get(path)) for own in leaves}) > 1]
    shown = varied or ["optimizer.learning_rate"]
    return [" ".join(f"{path.split('.')[-1]}={own[path]}" for path in shown if path in own) for own in leaves]


def _advice(configuration: Configuration) -> str:
    try:
        expected = forecast.expect(configuration)
    except ConfigurationError as error:
        return f"not known ({error})"
    largest = f"{forecast.SAFE:.0%} up to {expected.largest:.2g}" if expected.largest < 1e3 else "at any rate"
    beyond = forecast.beyond(configuration)
    more = f" and {len(beyond) - SHOWN} more" if len(beyond) > SHOWN else ""
    aside = f"; fitted on nothing like {', '.join(beyond[:SHOWN])}{more}" if beyond else ""
    return f"{expected.rate:.0%} die; {largest}{aside}"
