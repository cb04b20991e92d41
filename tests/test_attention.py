"""The one visibility rule."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mathjax.model.attention import EMPTY, attend, visible


def arrays(seed=0, B=2, T=12, H=4, K=2, C=8):
    keys = jax.random.split(jax.random.key(seed), 3)
    shapes = ((B, T, H, C), (B, T, K, C), (B, T, K, C))
    return [jax.random.normal(key, shape) for key, shape in zip(keys, shapes, strict=True)]


def packed(B=2):
    """Segments of 5 and 4 tokens and 3 of padding."""
    segments = jnp.tile(jnp.array([1] * 5 + [2] * 4 + [0] * 3, jnp.int32)[None], (B, 1))
    positions = jnp.tile(jnp.array([0, 1, 2, 3, 4, 0, 1, 2, 3] + [EMPTY] * 3, jnp.int32)[None], (B, 1))
    return segments, positions


def slow(queries, keys, values, segments, positions):
    """Attention in loops of numpy, by the words of the rule."""
    queries, keys, values, segments, positions = map(np.asarray, (queries, keys, values, segments, positions))
    B, T, H, C = queries.shape
    out = np.zeros_like(queries)
    for b, t, h in np.ndindex(B, T, H):
        k = h // (H // keys.shape[2])
        seen = [s for s in range(T) if segments[b, s] == segments[b, t] and positions[b, s] <= positions[b, t]]
        scores = np.array([queries[b, t, h] @ keys[b, s, k] / C**0.5 for s in seen])
        shares = np.exp(scores - scores.max())
        out[b, t, h] = (shares / shares.sum()) @ values[b, seen, k]
    return out


def test_attention_equals_the_rule_in_loops():
    segments, positions = packed()
    q, k, v = arrays()
    fast = attend(q, k, v, visible(segments, positions, segments, positions))
    np.testing.assert_allclose(fast, slow(q, k, v, segments, positions), atol=1e-5)


@pytest.mark.parametrize(("query", "seen"), [(2, {0, 1, 2}), (6, {5, 6}), (8, {5, 6, 7, 8})])
def test_gradients_reach_exactly_what_a_query_sees(query, seen):
    segments, positions = packed()
    q, k, v = arrays()

    def one(keys, values):
        return attend(q, keys, values, visible(segments, positions, segments, positions))[:, query].sum()

    for gradient in jax.grad(one, argnums=(0, 1))(k, v):
        reached = {s for s in range(12) if bool(jnp.any(gradient[:, s] != 0))}
        assert reached == seen


def test_no_query_of_a_sequence_sees_an_empty_entry():
    held = jnp.array([[0, 1, EMPTY, EMPTY]], jnp.int32)
    same = jnp.zeros((1, 4), jnp.int32)
    seen = visible(jnp.zeros((1, 1), jnp.int32), jnp.array([[1]], jnp.int32), same, held)
    assert seen.tolist() == [[[True, True, False, False]]]
