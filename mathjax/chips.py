"""The chips that a step may run on: how fast they multiply, what they hold and how they are joined, by data sheet."""

from dataclasses import dataclass

import jax

GB, GIB, TERA = 10**9, 2**30, 10**12


@dataclass(frozen=True)
class Chip:
    """One kind of chip. Rates are what its maker states for one chip, and per second; nothing reaches all of them."""

    name: str
    kinds: tuple[str, ...]  # how `device_kind` begins
    flops: float  # dense bfloat16 FLOP
    memory: int  # bytes of HBM
    bandwidth: float  # bytes between HBM and chip
    link: float  # bytes one way: of an ICI link, or of NVLink from one GPU
    network: float  # bytes one way of a chip's share of the network between slices, or between hosts
    axes: int = 0  # of the torus; 0: no torus, hosts of `host` GPUs that see one another directly
    wrap: int = 0  # the length of an axis, and its multiples, at which the torus closes
    devices: int = 1  # that JAX counts one chip as
    host: int = 8  # GPUs joined by NVLink


# TPUs: the pages "TPU v4", "v5e", "v5p", "v6e", "TPU7x" of Google Cloud's documentation as of 2026. A link is what they
# state as bidirectional ICI bandwidth of a chip, shared among its ports (two an axis) and halved for one way; v4's page
# states one way. Where a page states no network bandwidth (v4, TPU7x), v5p's stands. GPUs: NVIDIA's data sheets of the
# SXM boards, dense; a network port of 400 Gbit/s (A100: 200) for each GPU, as in DGX systems.
CHIPS = (
    Chip("v4", ("TPU v4",), 275 * TERA, 32 * GIB, 1228 * GB, 50 * GB, 6.25 * GB, axes=3, wrap=4),
    Chip("v5e", ("TPU v5 lite", "TPU v5e"), 197 * TERA, 16 * GIB, 819 * GB, 50 * GB, 3.125 * GB, axes=2, wrap=16),
    Chip("v5p", ("TPU v5",), 459 * TERA, 95 * GIB, 2765 * GB, 100 * GB, 6.25 * GB, axes=3, wrap=4),
    Chip("v6e", ("TPU v6",), 918 * TERA, 32 * GIB, 1638 * GB, 100 * GB, 12.5 * GB, axes=2, wrap=16),
    Chip("tpu7x", ("TPU7x",), 2307 * TERA, 192 * GIB, 7380 * GB, 100 * GB, 6.25 * GB, axes=3, wrap=4, devices=2),
    Chip("a100", ("NVIDIA A100",), 312 * TERA, 80 * GIB, 2039 * GB, 300 * GB, 25 * GB),
    Chip("h100", ("NVIDIA H100",), 989 * TERA, 80 * GIB, 3350 * GB, 450 * GB, 50 * GB),
    Chip("h200", ("NVIDIA H200",), 989 * TERA, 141 * GB, 4800 * GB, 450 * GB, 50 * GB),
    Chip("b200", ("NVIDIA B200",), 2250 * TERA, 180 * GB, 8000 * GB, 900 * GB, 50 * GB),
)


def of_kind(device_kind: str) -> Chip | None:
    """The chip whose devices call themselves so; None for one that is not in the table."""
    return next((chip for chip in CHIPS if device_kind.startswith(chip.kinds)), None)


def named(name: str) -> Chip:
    """The chip of this name; ValueError, with the names there are, where there is none."""
    for chip in CHIPS:
        if chip.name == name:
            return chip
    raise ValueError(f"there is no chip {name!r} in the table; there are {', '.join(chip.name for chip in CHIPS)}")


def platform() -> str:
    """`cpu`, `gpu` or `tpu`: of the mesh in use, which may only be compiled for, or else of JAX's backend."""
    device = jax.sharding.get_abstract_mesh().abstract_device
    return jax.default_backend() if device is None else device.platform


def shared() -> dict[str, int]:
    """The axes, with their sizes, over which the compiler splits arrays here: of the mesh in use, without those that
    `jax.shard_map` has taken apart.
    """
    mesh = jax.sharding.get_abstract_mesh()
    kinds = zip(mesh.axis_names, mesh.axis_types, strict=True)
    return {name: mesh.shape[name] for name, kind in kinds if kind == jax.sharding.AxisType.Auto}
