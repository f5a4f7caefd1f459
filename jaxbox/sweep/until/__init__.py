"""Seeds are added, look by look, to the configurations that are not decided yet, until a rule holds for all."""

from jaxbox.sweep.until.decisions import Decision, decide, wanted
from jaxbox.sweep.until.rules import Order, OrderR2, Rule, Subject, Width, ordered, parse

__all__ = ["Decision", "Order", "OrderR2", "Rule", "Subject", "Width", "decide", "ordered", "parse", "wanted"]
