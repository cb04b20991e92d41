"""The text of a compiled program's optimized HLO, read: its operations, and how often each of them runs."""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass

BITS = {"pred": 8, "s4": 4, "u4": 4, "s8": 8, "u8": 8, "s16": 16, "u16": 16, "bf16": 16, "f16": 16}
BITS |= {"s32": 32, "u32": 32, "f32": 32, "s64": 64, "u64": 64, "f64": 64, "c64": 64}


@dataclass(frozen=True)
class Array:
    """What an operation gives back, or a part of it."""

    dtype: str
    dims: tuple[int, ...]
    space: int  # of memory; 0 is the device's main memory

    @property
    def bytes(self) -> int:
        bits = BITS.get(self.dtype, 8 if self.dtype.startswith("f8") else 0)
        return math.prod(self.dims) * bits // 8


@dataclass(frozen=True)
class Operation:
    """One line of a computation."""

    name: str
    code: str
    arrays: tuple[Array, ...]
    operands: tuple[str, ...]
    given: str  # what stands between its brackets
    rest: str  # and behind them
    root: bool  # whether it is what its computation gives back

    def named(self, key: str) -> str | None:
        """The computation that an attribute names."""
        found = re.search(rf"\b{key}=%?([\w.\-]+)", self.rest)
        return found and found[1]

    def number(self, key: str) -> int | None:
        found = re.search(rf"\b{key}=(\d+)", self.rest)
        return found and int(found[1])


@dataclass(frozen=True)
class Running:
    """An operation where it runs: among those of its computation, how often, and whether as a part of a fusion."""

    operation: Operation
    scope: dict[str, Operation]
    times: int
    fused: bool


def parse(text: str) -> tuple[dict[str, dict[str, Operation]], str]:
    """({computation: {name: operation}}, the name of the computation that is run first)."""
    computations, entry, now = {}, "", {}
    for line in text.splitlines():
        if head := re.match(r"(ENTRY )?%?([\w.\-]+) .*\{$", line):
            now = computations.setdefault(head[2], {})
            entry = head[2] if head[1] else entry
        elif found := re.match(r"\s+(ROOT )?%?([\w.\-]+) = ", line):
            now[found[2]] = _operation(found[2], line[found.end() :], bool(found[1]))
    return computations, entry


def running(computations, entry: str) -> Iterator[Running]:
    """Every operation of a program as it runs: into loops, calls and fusions, and the first branch of a choice.

    ValueError for a loop of which it cannot be told how often it turns.
    """
    return _walk(computations, entry, 1, {}, False)


def group(operation: Operation) -> tuple[int, ...]:
    """The first group of devices that meets in a collective, as places in the mesh.

    It is written `{{0,1},{2,3}}`, `[2,2]<=[4]`, `[2,2]<=[2,2]T(1,0)`, or as axes of a mesh.
    """
    said = operation.rest
    if pairs := re.search(r"source_target_pairs=\{\{(\d+),(\d+)\}", said):
        return tuple(int(n) for n in pairs.groups())
    if listed := re.search(r"replica_groups=\{\{([\d,]*)\}", said):
        return tuple(int(n) for n in listed[1].split(","))
    if tiled := re.search(r"replica_groups=\[(\d+),(\d+)\]<=\[([\d,]+)\](?:T\(([\d,]+)\))?", said):
        dims = [int(n) for n in tiled[3].split(",")]
        order = [int(n) for n in tiled[4].split(",")] if tiled[4] else range(len(dims))
        return tuple(_flat(dims, order)[: int(tiled[2])])
    if axes := re.search(r"replica_groups=mesh\[([^\]]*)\] \{([^}]*)\}", said):
        sizes = {name: int(size) for name, size in re.findall(r"'(\w+)'=(\d+)", axes[1])}
        meets = [name for name in sizes if f"'{name}'" in axes[2]]
        order = [list(sizes).index(name) for name in [*(name for name in sizes if name not in meets), *meets]]
        return tuple(_flat(list(sizes.values()), order)[: math.prod(sizes[name] for name in meets)])
    raise ValueError(
        f"{operation.code} {operation.name}: its groups are written in a way that is not known: {said:.200}"
    )


def _operation(name, said, root):
    shape, said = _closed(said) if said[0] == "(" else said.split(" ", 1)
    code, said = said.strip().split("(", 1)
    given, rest = _closed("(" + said)
    return Operation(
        name, code, tuple(_arrays(shape)), tuple(re.findall(r"%([\w.\-]+)", given)), given[1:-1], rest, root
    )


def _closed(said):
    """A bracket at the beginning up to where it is closed, and what follows."""
    depth = 0
    for place, letter in enumerate(said):
        depth += (letter == "(") - (letter == ")")
        if depth == 0:
            return said[: place + 1], said[place + 1 :]
    raise ValueError(f"a bracket is not closed: {said:.200}")


def _arrays(shape):
    for dtype, dims, layout in re.findall(r"(\w+)\[([\d,]*)\](\{[^}]*\})?", shape):
        space = re.search(r"S\((\d+)\)", layout)
        yield Array(dtype, tuple(map(int, dims.split(","))) if dims else (), int(space[1]) if space else 0)


def _walk(computations, name, times, known, fused):
    """`known`: the elements of the computation's parameter, a tuple, that are known numbers."""
    scope = computations[name]
    for operation in scope.values():
        yield Running(operation, scope, times, fused)
        if operation.code == "while":
            condition, body = (computations[operation.named(key)] for key in ("condition", "body"))
            begun = [_counted(scope, one, known) for one in scope[operation.operands[0]].operands]
            begun = {index: value for index, (element, value) in enumerate(begun) if element is None}
            last = _root(body).operands
            kept = {index: value for index, value in begun.items() if _counted(body, last[index], {}) == (index, 0)}
            often = _turns(operation, condition, body, begun, kept)
            yield from _walk(computations, operation.named("body"), times * often, kept, fused)
        elif operation.code == "conditional":
            branches = re.search(r"branch_computations=\{%?([\w.\-]+)", operation.rest)
            first = branches[1] if branches else operation.named("true_computation")
            yield from _walk(computations, first, times, {}, fused)
        elif inner := operation.named("to_apply" if operation.code == "call" else "calls"):
            yield from _walk(computations, inner, times, {}, fused or operation.code == "fusion")


def _root(scope):
    return next(operation for operation in scope.values() if operation.root)


def _turns(loop, condition, body, begun, kept):
    """How often a loop turns: as the compiler noted it, or while a counter is less than a number."""
    if noted := re.search(r"known_trip_count\D*(\d+)", loop.rest):
        return int(noted[1])
    test = _root(condition)
    if test.code == "compare" and "direction=LT" in test.rest:
        (index, ahead), (element, limit) = (_counted(condition, one, kept) for one in test.operands)
        step = _counted(body, _root(body).operands[index], {}) if isinstance(index, int) else ("", 0)
        if index in begun and element is None and step[0] == index and step[1] > 0:
            return max(0, -(-(limit - begun[index] - ahead) // step[1]))
    raise ValueError(f"it cannot be told how often {loop.name} turns, which tests {test.code}({test.given})")


def _counted(scope, name, known):
    """An integer as (the element of the computation's parameter that it is counted from, what is added to it).

    The element is None where the number is known, and "" where it is neither.
    """
    operation = scope[name]
    if operation.code == "constant" and re.fullmatch(r"-?\d+", operation.given):
        return None, int(operation.given)
    if operation.code == "get-tuple-element" and scope[operation.operands[0]].code == "parameter":
        index = operation.number("index")
        return (None, known[index]) if index in known else (index, 0)
    if operation.code in ("copy", "bitcast", "convert", "reshape", "copy-done", "copy-start"):
        return _counted(scope, operation.operands[0], known)
    if operation.code in ("add", "subtract"):
        (left, a), (right, b) = (_counted(scope, one, known) for one in operation.operands)
        if right is None and left != "":
            return left, a + b if operation.code == "add" else a - b
        if left is None and right != "" and operation.code == "add":
            return right, a + b
    return "", 0


def _flat(dims, order):
    """0, 1, .. in an array of `dims`, read with its axes in another order."""
    strides = [math.prod(dims[axis + 1 :]) for axis in range(len(dims))]
    found = [0]
    for axis in order:
        found = [start + index * strides[axis] for start in found for index in range(dims[axis])]
    return found
