"""The engine with a real model, SmolLM2-135M-Instruct: its log-probabilities, its samples, its calculator."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from test_gguf_smollm2 import ours, path, tokenizer  # noqa: F401

from mathjax import config
from mathjax.model import decoder
from mathjax.sample import guide
from mathjax.sample.calculator import annotation_value
from mathjax.sample.engine import Engine, Request

pytestmark = [
    pytest.mark.timeout(900),
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning"),
]

SHOTS = """Question: Tom has 3 boxes of 12 pens. How many pens has he?
Answer: He has 3*12 = <<3*12=36>>36 pens.

Question: Ann had 50 dollars and spent 18. How much is left?
Answer: She has 50-18 = $<<50-18=32>>32 left.

Question: {}
Answer:"""
QUESTIONS = [
    "A farm has 37 rows of 48 trees. How many trees are there?",
    "A shop sold 1234 apples on Monday and 4321 on Tuesday. How many in all?",
    "Lea had 905 stamps and gave away 278. How many are left?",
    "7 buses carry 53 children each. How many children are there?",
]
SAMPLING = config.Sampling(max_tokens=40, temperature=0.8, samples=3, seed=2, calculator=True, stop=["\n\n"])


@pytest.fixture(scope="module")
def engine(ours, tokenizer):  # noqa: F811
    return Engine(*ours, slots=8, length=256, prompt=192, eos_id=tokenizer.stop_ids, steps=4)


@pytest.fixture(scope="module")
def requests(tokenizer):  # noqa: F811
    return [Request(i, tokenizer.encode(SHOTS.format(question))) for i, question in enumerate(QUESTIONS)]


@pytest.fixture(scope="module")
def completions(engine, requests, tokenizer):  # noqa: F811
    return list(engine.generate(requests, SAMPLING, guide.build(SAMPLING, tokenizer)))


def test_log_probabilities_are_those_of_the_training_forward_pass(ours, requests, completions):  # noqa: F811
    model, params = ours
    length = 256

    @jax.jit
    def whole(params, tokens):
        positions = jnp.arange(length, dtype=jnp.int32)[None]
        hidden = decoder.apply(model, params, tokens[None], positions, jnp.zeros_like(positions))
        return jax.nn.log_softmax(decoder.logits(model, params, hidden)[0])

    for completion in completions[:4]:
        ids = [*requests[completion.request].prompt, *completion.tokens]
        first = len(ids) - len(completion.tokens)
        table = whole(params, np.array(ids + [0] * (length - len(ids)), np.int32))
        own = table[np.arange(first - 1, len(ids) - 1), list(completion.tokens)]
        np.testing.assert_allclose(completion.log_probabilities, own, atol=1e-4)


def test_annotations_of_a_real_model_have_exact_values(tokenizer, completions):  # noqa: F811
    """A model that cannot multiply writes what the calculator gives it."""
    closed = 0
    for completion in completions:
        text = tokenizer.decode(completion.tokens)
        for part in text.split("<<")[1:]:
            left, equals, right = part.partition("=")
            value = annotation_value(left) if equals and "\n" not in left and ">" not in left else None
            if value is not None and completion.finish == "stop":
                assert right.startswith(value + ">>")
                closed += 1
    assert closed >= 4
    assert sum(any(completion.forced) for completion in completions) >= 4


def test_completions_of_a_real_model_do_not_depend_on_slots_or_looks(ours, requests, completions, tokenizer):  # noqa: F811
    other = Engine(*ours, slots=3, length=256, prompt=192, eos_id=tokenizer.stop_ids, steps=7)
    some = [dataclasses.replace(request, samples=(2, 0)) for request in reversed(requests[1:3])]
    found = {(c.request, c.sample): c for c in other.generate(some, SAMPLING, guide.build(SAMPLING, tokenizer))}
    assert len(found) == 4
    for completion in completions:
        if again := found.get((completion.request, completion.sample)):
            assert (again.tokens, again.forced, again.finish) == (
                completion.tokens,
                completion.forced,
                completion.finish,
            )
