"""A compiled program's instructions: what each belongs to, what kind of work it is, and how many products it makes.

The compiler's text names, with each instruction, the JAX operation that it was made from and the scopes around it
(`jax.named_scope`), derivatives marked. Of a fusion these are those of its last operation.
"""

import math
import re
from collections.abc import Mapping
from typing import NamedTuple

KINDS = ("products", "pointwise", "sums", "moved", "random")
"""Matrix products; functions of each number; sums and maxima; numbers cut out, joined, turned or looked up; random
numbers and their sorting."""

CONTAINERS = {"while", "call", "conditional", "parameter", "tuple", "get-tuple-element", "constant", "bitcast"}
"""Instructions that do nothing themselves."""

LAYER = re.compile(r"layer_(\w+)")
OPERATION_KINDS = {
    "random": r"threefry|random|shuffle|sort|erf_inv|fold_in",
    "sums": r"reduce|cumsum|argm|select_and",
    "moved": r"slice|gather|scatter|concatenate|pad|transpose|reshape|broadcast|copy|stack|squeeze|rev|iota|take|index",
}
"""How JAX's name of an operation begins or what it holds; everything else is pointwise."""


class Operation(NamedTuple):
    """An instruction: the part of a step that it belongs to (a layer, or examples, update, loss, evaluation), whether
    it is of the backward pass, its row of KINDS, and operations of its matrix products."""

    part: str
    backward: bool
    kind: str
    flops: int


def operations(text: str) -> dict[str, Operation]:
    """Every instruction that takes time, by its name in the compiler's text."""
    bodies = {
        name: [each.groupdict() for each in INSTRUCTION.finditer(body)] for name, body in COMPUTATION.findall(text)
    }
    lines = [line for body in bodies.values() for line in body]
    shapes = {line["name"]: [int(size) for size in re.findall(r"\d+", line["shape"])] for line in lines}
    fused = {line["name"]: called[1] for line in lines if (called := CALLED.search(line["rest"]))}
    inside = {line["name"] for name in fused.values() for line in bodies.get(name, [])}
    found = {}
    for line in lines:
        if line["opcode"] not in CONTAINERS and line["name"] not in inside:
            own = bodies.get(fused.get(line["name"], ""), [line])
            flops = sum(_flops(each, shapes) for each in own)
            found[line["name"]] = _operation(line["rest"], line["opcode"], flops)
    return found


INSTRUCTION = re.compile(
    r"^ +(?:ROOT )?%?(?P<name>[\w.\-]+) = \(?\w+\[(?P<shape>[\d,]*)\].*? (?P<opcode>[a-z][\w\-]*)\((?P<rest>.*)$",
    re.MULTILINE,
)
COMPUTATION = re.compile(r"^(?:ENTRY )?%?([\w.\-]+) \(.*?\{\n(.*?)^\}", re.MULTILINE | re.DOTALL)
CALLED = re.compile(r"calls=%?([\w.\-]+)")


def _flops(line: Mapping[str, str], shapes: Mapping[str, list[int]]) -> int:
    """Twice the multiplications of a matrix product; 0 of anything else."""
    contracted = re.search(r"lhs_contracting_dim(?:s=\{|ensions\":\[)([\d,\"]+)", line["rest"])
    first = re.match(r"(?:[\w\[\],{}]+ )?%?([\w.\-]+)", line["rest"])
    if not contracted or not first or first[1] not in shapes:
        return 0
    sizes = [shapes[first[1]][int(each)] for each in re.findall(r"\d+", contracted[1])]
    return 2 * math.prod(shapes[line["name"]]) * math.prod(sizes)


def _operation(rest: str, opcode: str, flops: int) -> Operation:
    named = re.search(r'op_name="([^"]*)"', rest)
    path = named[1] if named else ""
    return Operation(_part(path), "transpose(" in path, _kind(path.rsplit("/", 1)[-1] or opcode, path, flops), flops)


def _part(path: str) -> str:
    layer = LAYER.search(path)
    name = layer[1].replace("_", " ") if layer else ""
    if "evaluation" in path:
        return f"evaluation, {name}" if name else "evaluation"
    return name or next((part for part in ("examples", "update") if part in path), "loss and others")


def _kind(name: str, path: str, flops: int) -> str:
    if flops:
        return "products"
    if re.search(OPERATION_KINDS["random"], path):
        return "random"
    return next((kind for kind in ("sums", "moved") if re.search(OPERATION_KINDS[kind], name)), "pointwise")
