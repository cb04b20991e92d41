"""What a model is trained on: rows of tokens, each with a weight."""

import dataclasses
import functools

import jax
import numpy as np

from mathjax.model.attention import EMPTY

FIELDS = ("tokens", "targets", "weights", "segments", "positions")


@functools.partial(jax.tree_util.register_dataclass, data_fields=FIELDS, meta_fields=())
@dataclasses.dataclass(frozen=True)
class Batch:
    """Packed rows, all [B, T]; a pytree, with NumPy or JAX arrays.

    An example of L ids takes L-1 places of a row: the tokens are its ids without the last, the targets its ids
    without the first, and a weight belongs to a target. Weights are as the objective gives them; `train.step.update`
    scales those of a global batch to sum to one.
    """

    tokens: jax.Array | np.ndarray  # int32
    targets: jax.Array | np.ndarray  # int32: the token that follows
    weights: jax.Array | np.ndarray  # float32: how much the target counts; 0 at padding
    segments: jax.Array | np.ndarray  # int32: 1, 2, .. within a row; 0 at padding
    positions: jax.Array | np.ndarray  # int32: 0, 1, .. within a segment; EMPTY at padding


def empty(rows: int, length: int, pad_id: int) -> Batch:
    """A batch of nothing but padding, in NumPy arrays."""
    shape = (rows, length)
    return Batch(
        tokens=np.full(shape, pad_id, np.int32),
        targets=np.full(shape, pad_id, np.int32),
        weights=np.zeros(shape, np.float32),
        segments=np.zeros(shape, np.int32),
        positions=np.full(shape, EMPTY, np.int32),
    )
