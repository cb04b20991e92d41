"""Schedules against closed forms; what is decayed and clipped."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from mathjax.config import Optimizer
from mathjax.train import optimizer


def test_cosine_with_three_percent_of_warm_up_has_its_closed_form():
    rate = optimizer.schedule(Optimizer(peak=2e-5, warmup=0.03), 1000)
    for step in (0, 10, 29):
        assert rate(step) == pytest.approx(2e-5 * (step + 1) / 31, rel=1e-5)
    for step in (30, 200, 999):
        assert rate(step) == pytest.approx(1e-5 * (1 + math.cos(math.pi * (step - 30) / 970)), rel=1e-4, abs=1e-12)


@pytest.mark.parametrize(
    ("name", "last"), [("cosine", 0.1), ("linear", 0.1), ("constant", 1.0), ("inverse_sqrt", (10 / 100) ** 0.5)]
)
def test_a_schedule_ends_where_it_says(name, last):
    rate = optimizer.schedule(Optimizer(peak=1.0, schedule=name, warmup=0.1, end=0.1), 100)
    assert rate(10) == pytest.approx(1.0)
    assert rate(100) == pytest.approx(last, rel=1e-5)


def test_no_warm_up_starts_at_the_peak():
    assert optimizer.schedule(Optimizer(peak=3.0, warmup=0.0), 10)(0) == pytest.approx(3.0)


def test_decay_is_for_kernels_alone():
    params = {
        "embedding": {"table": jnp.ones((2, 2))},
        "mlp": {"kernel": jnp.ones((2, 2))},
        "norm": {"scale": jnp.ones(2)},
    }
    zeros = {name: {key: jnp.zeros_like(x) for key, x in part.items()} for name, part in params.items()}
    build = optimizer.build(Optimizer(peak=0.1, weight_decay=0.5, schedule="constant", warmup=0.0), 10)
    changes, _ = build.update(zeros, build.init(params), params)
    np.testing.assert_allclose(changes["mlp"]["kernel"], -0.05)
    assert not changes["embedding"]["table"].any() and not changes["norm"]["scale"].any()


@pytest.mark.parametrize("name", ["adamw", "muon"])
def test_the_first_moment_can_be_held_in_bfloat16(name):
    params = {"mlp": {"kernel": jnp.ones((4, 4))}, "norm": {"scale": jnp.ones(4)}}
    state = optimizer.build(Optimizer(name=name, peak=1.0, momentum_dtype="bfloat16"), 10).init(params)
    held = {leaf.dtype for tree in tree_get_all(state, "mu") for leaf in jax.tree.leaves(tree)}
    assert held == {jnp.dtype("bfloat16")}
    squares = {leaf.dtype for tree in tree_get_all(state, "nu") for leaf in jax.tree.leaves(tree)}
    assert squares == {jnp.dtype("float32")}


def tree_get_all(state, key):
    return [tree for _, tree in optax.tree_utils.tree_get_all_with_path(state, key)]


def test_a_gradient_is_clipped_by_its_global_norm():
    build = optimizer.build(Optimizer(peak=1.0, clip=1.0), 10)
    params = {"a": {"scale": jnp.zeros(4)}, "b": {"scale": jnp.zeros(4)}}
    gradient = {"a": {"scale": jnp.full(4, 3.0)}, "b": {"scale": jnp.full(4, 4.0)}}
    clipped, _ = optax.clip_by_global_norm(1.0).update(gradient, optax.EmptyState())
    _, state = build.update(gradient, build.init(params), params)
    moments = optax.tree_utils.tree_get(state, "mu")
    np.testing.assert_allclose(moments["a"]["scale"], 0.1 * clipped["a"]["scale"], rtol=1e-5)
