"""The devices that are planned for, and how long their meetings take at least."""

import math
import os
import re
from dataclasses import dataclass

from jax.experimental import topologies

from mathjax import chips
from mathjax.train.plan.count import Collective

USABLE = 0.98  # v5e's compiler counts 15.75 of 16 GiB
WAYS = {"all-gather": 1, "reduce-scatter": 1, "all-reduce": 2, "all-to-all": 1, "collective-permute": 1}


@dataclass(frozen=True)
class Target:
    """Devices of one kind: TPU slices with a torus each, or GPUs on hosts."""

    name: str
    chip: chips.Chip
    shape: tuple[int, ...]  # chips along each axis of a slice, or (GPUs,)
    slices: int
    devices: tuple  # that can be compiled for; () for GPUs
    places: tuple[tuple[int, ...], ...]  # of each device: its slice, then its coordinates; or its host

    @property
    def count(self) -> int:
        return len(self.places)

    @property
    def chips(self) -> int:
        return math.prod(self.shape) * self.slices

    @property
    def each(self) -> int:
        """How many devices a chip counts as."""
        return self.count // self.chips

    @property
    def flops(self) -> float:
        """FLOP/s of a device at best."""
        return self.chip.flops / self.each

    @property
    def memory(self) -> int:
        """Bytes of a device, of which a program has the share USABLE."""
        return self.chip.memory // self.each

    @property
    def bandwidth(self) -> float:
        return self.chip.bandwidth / self.each


def of(name: str, slices: int = 1) -> Target:
    """The target named `v5e:16x16`, `v5p:4x4x8`, `h100:64`; ValueError for any other.

    A TPU needs libtpu: ModuleNotFoundError without. `slices` are those of a TPU, joined by the network of the data
    center; `name` is one of them.
    """
    if not (told := re.fullmatch(r"(\w+):(\d+(?:x\d+)*)", name)):
        raise ValueError(f"a topology is written v5e:16x16 or h100:64, got {name!r}")
    chip, shape = chips.named(told[1]), tuple(map(int, told[2].split("x")))
    if not chip.axes:
        if len(shape) != 1 or slices != 1:
            raise ValueError(f"GPUs are written {chip.name}:64 and have no slices, got {name!r} with slices={slices}")
        return Target(name, chip, shape, 1, (), tuple((number // chip.host,) for number in range(shape[0])))
    if len(shape) != chip.axes:
        example = "x".join(["4"] * chip.axes)
        raise ValueError(f"a slice of {chip.name} has {chip.axes} axes, as {chip.name}:{example}; got {name!r}")
    devices = _devices(name, slices)
    places = tuple((getattr(device, "slice_index", 0), *device.coords) for device in devices)
    return Target(name, chip, shape, slices, devices, places)


def _devices(name, slices):
    # The compiler would else ask the network which TPU it runs on, and only one process could use it.
    told = {"SKIP_MDS_QUERY": "1", "WORKER_HOSTNAMES": "localhost", "WORKER_ID": "0", "ACCELERATOR_TYPE": "v5litepod-1"}
    for setting, value in told.items():
        os.environ.setdefault(f"TPU_{setting}", value)
    os.environ.setdefault("ALLOW_MULTIPLE_LIBTPU_LOAD", "1")
    more = {"num_slices": slices} if slices > 1 else {}
    try:
        import libtpu  # noqa: F401 - JAX says less clearly that it is missing
    except ModuleNotFoundError:
        raise ModuleNotFoundError(
            "compiling for a TPU that is not there needs libtpu: pip install -e '.[plan]'"
        ) from None
    try:
        return tuple(topologies.get_topology_desc(name, platform="tpu", **more).devices)
    except Exception as error:  # whatever the compiler's plugin raises
        raise ValueError(f"the TPU compiler knows no topology {name!r}: {error}") from None


def seconds(target: Target, met: Collective, order=None) -> tuple[float, float]:
    """How long one meeting takes at least: (inside a slice or host, between them).

    A ring over n devices moves (n-1)/n of the bytes past each of them, an all-reduce twice. On a torus all axes that
    the group spans work at once, both ways round if the axis is closed and the group goes all round it. Between slices
    each device carries its own share. `order` gives the number of the device at each place of the mesh.
    """
    places = [target.places[order[one] if order else one] for one in met.group]
    n, outer = max(len(places), 1), len({place[0] for place in places})
    if n == 1:
        return 0.0, 0.0
    inner = n // outer
    moved = WAYS[met.kind] * met.bytes * (1 if met.kind == "collective-permute" else (inner - 1) / inner)
    across = WAYS[met.kind] * met.bytes / inner * (outer - 1) / outer / (target.chip.network / target.each)
    if met.kind == "collective-permute" and outer > 1:
        return 0.0, met.bytes / (target.chip.network / target.each)
    if not target.chip.axes:
        return moved / target.chip.link, across
    links = sum(_links(target, axis, {place[1 + axis] for place in places}) for axis in range(len(target.shape)))
    return moved / (max(links, 2) * target.chip.link / target.each), across


def _links(target, axis, spanned):
    """How many links of a chip a ring over the places spanned on an axis of the torus can use."""
    length, wrap = target.shape[axis], target.chip.wrap
    if len(spanned) == 1:
        return 0
    return 2 if len(spanned) == length and length % wrap == 0 else 1
