"""What a compiled program does on one device: products, bytes of memory, meetings with other devices.

The compiler's own cost analysis counts the body of a loop once; here a loop counts as often as it runs.
"""

import math
import re
from collections import defaultdict
from dataclasses import dataclass

from mathjax.train.plan import hlo

COLLECTIVES = ("all-gather", "all-reduce", "reduce-scatter", "all-to-all", "collective-permute")
FREE = (
    "parameter",
    "constant",
    "tuple",
    "get-tuple-element",
    "bitcast",
    "while",
    "call",
    "conditional",
    "partition-id",
)
FREE += ("after-all", "opt-barrier", "optimization-barrier", "replica-id", "iota")
SLICES = ("slice", "dynamic-slice", "gather", "slice-start", "dynamic-slice-start")
SPLASH = {"fwd": 2, "dkv": 4, "dq": 3}  # products of scores' size in a kernel of splash attention


@dataclass(frozen=True)
class Collective:
    """Meetings of one kind: `bytes` are those of the whole result of one (reduce-scatter: of what is reduced)."""

    kind: str
    bytes: int
    group: tuple[int, ...]  # who meets: the first group, as places in the mesh
    times: int


@dataclass(frozen=True)
class Work:
    flops: float  # of products and of attention kernels
    traffic: float  # bytes read from and written to main memory
    collectives: tuple[Collective, ...]


def work(text: str) -> Work:
    """The work of one run of a program on one device, from its optimized HLO (`compiled.as_text()`)."""
    computations, entry = hlo.parse(text)
    flops, traffic, met, seen = 0, 0, defaultdict(int), set()
    for one in hlo.running(computations, entry):
        operation = one.operation
        flops += one.times * _flops(operation, one.scope)
        if not one.fused:
            traffic += one.times * _traffic(operation, one.scope, computations)
        kind = operation.code.removesuffix("-start")
        if kind not in COLLECTIVES:
            continue
        channel = kind, operation.number("channel_id")
        if one.fused and channel[1] is not None and channel in seen:
            continue  # begun in one fusion and ended in another
        seen.add(channel)
        met[kind, _moved(kind, operation, one.scope), hlo.group(operation)] += one.times
    return Work(flops, traffic, tuple(Collective(*what, times) for what, times in met.items()))


def _flops(operation, scope):
    dims = [scope[name].arrays[0].dims for name in operation.operands if name in scope and scope[name].arrays]
    if operation.code == "dot":
        summed = re.search(r"lhs_contracting_dims=\{([\d,]*)\}", operation.rest)[1]
        return 2 * math.prod(operation.arrays[0].dims) * math.prod(dims[0][int(n)] for n in summed.split(",") if n)
    if operation.code == "convolution":
        return _convolution(operation, *dims[:2])
    if operation.code == "custom-call" and (kernel := re.match(r"splash_\w+?_(fwd|dkv|dq)_", operation.name)):
        *heads, T, C = next(shape for shape in dims if len(shape) > 2 and shape[-1] == operation.arrays[-1].dims[-1])
        return SPLASH[kernel[1]] * 2 * math.prod(heads) * T * T / 2 * C
    return 0


def _convolution(operation, left, right):
    """FLOPs of a product written as a convolution: the batch of one product may be a dimension of its window."""
    ins, kernel, outs = re.search(r"dim_labels=(\w+)_(\w+)->(\w+)", operation.rest).groups()
    said = re.search(r"window=\{([^}]*)\}", operation.rest)
    window = dict(re.findall(r"(\w+)=([\w\-]+)", said[1])) if said else {}
    out, pairs = operation.arrays[0].dims, 1

    def setting(name, axis, default):
        return int(window[name].split("x")[axis].split("_")[0]) if name in window else default

    for label in set(outs) - {"b", "f"}:
        axis = int(label)
        size, wide, long = left[ins.index(label)], right[kernel.index(label)], out[outs.index(label)]
        apart, low = setting("lhs_dilate", axis, 1), setting("pad", axis, 0)
        stride, within = setting("stride", axis, 1), setting("rhs_dilate", axis, 1)
        places = (o * stride + k * within - low for o in range(long) for k in range(wide))
        pairs *= sum(0 <= place <= (size - 1) * apart and place % apart == 0 for place in places)
    return 2 * out[outs.index("b")] * out[outs.index("f")] * right[kernel.index("i")] * pairs


def _traffic(operation, scope, computations):
    """Bytes that an operation reads and writes in main memory; a slice reads what it takes, an update what it puts."""
    code = operation.code
    if code in FREE or code.endswith("-done"):
        return 0
    results = operation.arrays[:1] if code.endswith("-start") else operation.arrays
    written = sum(array.bytes for array in results if array.space == 0)
    given = [scope[name].arrays for name in operation.operands if name in scope]
    sizes = [sum(array.bytes for array in arrays if array.space == 0) for arrays in given]
    if code in SLICES:
        return written + min(sizes[0], sum(array.bytes for array in results))
    if code == "dynamic-update-slice":
        return 2 * sizes[1] if written else sizes[1]
    if code == "fusion":
        return _fusion(computations[operation.named("calls")], written, sizes)
    return written + sum(sizes)


def _fusion(scope, written, sizes):
    """A fusion reads of an operand no more than the slices that it takes of it, and updates one in place."""
    users, read = defaultdict(list), 0
    for operation in scope.values():
        for name in operation.operands:
            users[name].append(operation)
    for operation in scope.values():
        if operation.code != "parameter":
            continue
        size, used = sizes[int(operation.given)], users[operation.name]
        if used and all(user.code in SLICES and user.operands[0] == operation.name for user in used):
            size = min(size, sum(user.arrays[0].bytes for user in used))
        elif (
            size
            and used
            and all(user.code == "dynamic-update-slice" and user.operands[0] == operation.name for user in used)
        ):
            written -= size - sum(scope[user.operands[1]].arrays[0].bytes for user in used)
            size = 0
        read += size
    return max(0, written) + read


def _moved(kind, operation, scope):
    results = operation.arrays
    if kind == "reduce-scatter":
        results = [array for name in operation.operands for array in scope[name].arrays]
    elif operation.code == "all-gather-start":
        results = results[1:2]  # it gives back what it was given as well
    elif operation.code == "collective-permute-start":
        results = results[:1]
    return sum(array.bytes for array in results)
