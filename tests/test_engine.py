"""Completions equal naive decoding, whoever they are batched with and wherever they run."""

import contextlib
import dataclasses
import functools
import itertools
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mathjax import config, mesh
from mathjax.model import decoder
from mathjax.model.attention import EMPTY
from mathjax.sample import decode
from mathjax.sample.engine import Engine, Request

MODEL = config.Model(
    vocab_size=24, layers=2, width=32, heads=4, kv_heads=2, head_dim=8, mlp_width=48, tied_embeddings=False
)
LENGTH = 48
STOPS = (1, 7)
LENGTHS = [1, 3, 12, 33, 47, 2, 40, 7, 32, 34, 1, 20]  # of prompts; on both sides of every prefill's length

SAMPLINGS = {
    "greedy": config.Sampling(max_tokens=10),
    "drawn": config.Sampling(max_tokens=10, temperature=1.0, samples=2, seed=3),
    "drawn from few": config.Sampling(
        max_tokens=10, temperature=1.5, top_k=5, top_p=0.9, min_p=0.02, samples=2, seed=4
    ),
}


def sharpened(seed):
    """Params whose logits lie far apart, so that no two ways to add them up choose different tokens."""
    random = np.random.default_rng(seed)

    def draw(path, leaf):
        mean, deviation = (1, 0.1) if mesh.path_name(path).endswith("scale") else (0, 0.3)
        return random.normal(mean, deviation, leaf.shape).astype(np.float32)

    shapes = jax.eval_shape(functools.partial(decoder.init, MODEL), jax.random.key(0))
    return jax.tree_util.tree_map_with_path(draw, shapes)


def prompts(lengths=LENGTHS, first_id=0):
    random = np.random.default_rng(0)
    return [Request(first_id + i, random.integers(2, 24, length).tolist()) for i, length in enumerate(lengths)]


def short():
    """Those requests whose prompts take the smallest prefill, so that fewer programs are compiled."""
    return [request for request in prompts() if len(request.prompt) <= 33]


def build(params, slots=3, **settings):
    return Engine(MODEL, params, **{"slots": slots, "length": LENGTH, "eos_id": STOPS} | settings)


def generate(engine, requests, sampling):
    """Completions by (request, sample)."""
    found = list(engine.generate(requests, sampling))
    by_name = {(completion.request, completion.sample): completion for completion in found}
    assert len(by_name) == len(found)
    return by_name


def tokens_of(completions):
    return {name: (completion.tokens, completion.stop, completion.finish) for name, completion in completions.items()}


@functools.cache
def whole_pass():
    """Logits [LENGTH, V] of one sequence, without any cache."""

    def logits(params, tokens, length):
        positions = jnp.where(jnp.arange(LENGTH) < length, jnp.arange(LENGTH), EMPTY)[None]
        hidden = decoder.apply(MODEL, params, tokens[None], positions, (positions == EMPTY).astype(jnp.int32))
        return decoder.logits(MODEL, params, hidden)[0]

    return jax.jit(logits)


def naive(params, request, sample, sampling):
    """The slow, obvious way: the whole prefix is read again for each token. (tokens, log-probabilities, finish)"""
    ids, found = list(request.prompt), []
    key = jax.random.fold_in(jax.random.fold_in(jax.random.key(sampling.seed), request.id), sample)
    choose = jax.jit(decode.choose)
    while len(found) < sampling.max_tokens and len(ids) < LENGTH:
        padded = np.array(ids + [0] * (LENGTH - len(ids)), np.int32)
        logits = whole_pass()(params, padded, len(ids))[len(ids) - 1]
        settings = (jnp.array([x]) for x in (sampling.temperature, sampling.top_k, sampling.top_p, sampling.min_p))
        token, log_probability = choose(logits[None], jax.random.fold_in(key, len(ids))[None], *settings)
        ids.append(int(token[0]))
        found.append((int(token[0]), float(log_probability[0])))
        if ids[-1] in STOPS:
            return *zip(*found, strict=True), "stop"
    return *zip(*found, strict=True), "length"


@contextlib.contextmanager
def compilations():
    """Collects the names of what is compiled meanwhile."""
    found = []

    def listen(event, seconds, **_):
        if event == "/jax/core/compile/backend_compile_duration":
            found.append(seconds)

    jax.monitoring.register_event_duration_secs_listener(listen)
    try:
        yield found
    finally:
        jax.monitoring.unregister_event_duration_listener(listen)


@pytest.fixture(scope="module")
def params():
    return sharpened(0)


@pytest.fixture(scope="module")
def engine(params):
    return build(params)


@pytest.fixture(scope="module")
def expected(engine):
    return {name: generate(engine, prompts(), sampling) for name, sampling in SAMPLINGS.items()}


@pytest.mark.parametrize("name", SAMPLINGS)
def test_completions_equal_naive_decoding(params, expected, name):
    sampling, finishes = SAMPLINGS[name], set()
    for request, sample in itertools.product(prompts(), range(sampling.samples)):
        tokens, log_probabilities, finish = naive(params, request, sample, sampling)
        found = expected[name][request.id, sample]
        stopped = finish == "stop"
        assert found.finish == finish
        assert found.tokens + ((found.stop,) if stopped else ()) == tokens
        own = found.log_probabilities + ((found.stop_log_probability,) if stopped else ())
        np.testing.assert_allclose(own, log_probabilities, atol=1e-4)
        finishes.add(finish)
    assert finishes == {"stop", "length"}  # both are there to be seen


@pytest.mark.parametrize("slots", [1, 8])
def test_a_completion_does_not_depend_on_the_slots(params, expected, slots):
    engine = build(params, slots, steps=slots)
    for name, sampling in SAMPLINGS.items():
        found = tokens_of(generate(engine, short(), sampling))
        assert found.items() <= tokens_of(expected[name]).items() and len(found) == len(short()) * sampling.samples


@pytest.mark.parametrize("name", SAMPLINGS)
def test_a_completion_does_not_depend_on_who_else_is_there(engine, expected, name):
    backwards = generate(engine, reversed(prompts()), SAMPLINGS[name])
    assert tokens_of(backwards) == tokens_of(expected[name])
    alone = generate(engine, prompts()[3:4], SAMPLINGS[name])
    assert tokens_of(alone).items() <= tokens_of(expected[name]).items()


LAYOUTS = [{"data": 2}, {"tensor": 2}, {"data": 1, "fsdp": 4}, {"data": 2, "fsdp": 2, "tensor": 2}]


@pytest.mark.parametrize("sizes", LAYOUTS, ids=str)
def test_a_completion_does_not_depend_on_the_mesh(params, expected, sizes):
    sizes = {"data": 1, "fsdp": 1} | sizes
    devices = mesh.make(config.Mesh(**sizes), jax.devices()[: math.prod(sizes.values())])
    engine = build(params, 8, mesh=devices)
    found = tokens_of(generate(engine, short(), SAMPLINGS["drawn from few"]))
    assert found.items() <= tokens_of(expected["drawn from few"]).items() and len(found) == 2 * len(short())


GROUPS = config.Sampling(max_tokens=8, temperature=1.0, samples=7, seed=8)


@pytest.fixture(scope="module")
def groups(params):
    """7 samples of each request, one at a time."""
    return tokens_of(generate(build(params, 1, steps=3), short()[:6], GROUPS))


@pytest.mark.parametrize(("slots", "sizes"), [(4, {}), (16, {}), (16, {"data": 2, "fsdp": 2})], ids=str)
def test_a_group_shares_its_prompt_and_draws_as_if_alone(params, groups, slots, sizes):
    devices = mesh.make(config.Mesh(**{"data": 1} | sizes), jax.devices()[: math.prod(sizes.values())])
    engine = build(params, slots, mesh=devices)
    assert tokens_of(generate(engine, short()[:6], GROUPS)) == groups
    assert engine.counts.prompt_tokens == sum(len(request.prompt) for request in short()[:6])  # each prompt once
    request, sample = 3, 5
    tokens, _, _ = naive(params, short()[request], sample, GROUPS)
    name = short()[request].id, sample
    assert tokens == groups[name][0] + (() if groups[name][1] is None else (groups[name][1],))


def test_a_group_of_a_hundred_keeps_few_prompts():
    """Bytes of the caches at 128 slots: the prompts of few groups, not one for each slot."""
    engine = build(jax.jit(functools.partial(decoder.init, MODEL))(jax.random.key(0)), 128)
    bytes_ = {n: engine.cache_bytes(config.Sampling(max_tokens=24, samples=n)) for n in (1, 8, 100)}
    assert bytes_[1]["prompts"] / bytes_[100]["prompts"] == 128 / 8
    assert bytes_[1]["prompts"] / bytes_[8]["prompts"] == 128 / 64
    assert bytes_[1]["slots"] == bytes_[8]["slots"] == bytes_[100]["slots"]


def test_what_was_interrupted_goes_on_with_the_samples_that_are_wanted(engine, expected):
    """A request may ask for some of its samples: those that a killed job lacks."""
    kept = dict(itertools.islice(tokens_of(expected["drawn"]).items(), 11))
    lacking = {r.id: tuple(s for s in range(2) if (r.id, s) not in kept) for r in prompts()}
    rest = [dataclasses.replace(r, samples=lacking[r.id]) for r in prompts() if lacking[r.id]]
    found = tokens_of(generate(engine, rest, SAMPLINGS["drawn"]))
    assert not found.keys() & kept.keys() and found | kept == tokens_of(expected["drawn"])


def test_a_sample_is_the_same_whatever_the_number_of_samples(engine, expected):
    sampling = config.Sampling(max_tokens=10, temperature=1.0, samples=1, seed=3)
    found = tokens_of(generate(engine, prompts(), sampling))
    assert found.items() <= tokens_of(expected["drawn"]).items() and len(found) == len(LENGTHS)


def test_samples_seeds_and_requests_draw_differently(engine):
    sampling = config.Sampling(max_tokens=10, temperature=3.0, samples=3, seed=5)
    same_prompt = [Request(i, [2, 3]) for i in (0, 1)]
    found = [c.tokens for c in generate(engine, same_prompt, sampling).values()]
    sampling.seed = 6
    found += [c.tokens for c in generate(engine, same_prompt, sampling).values()]
    assert len(set(found)) == 12


def test_requests_are_drawn_as_slots_come_free(engine):
    drawn = []

    def endless():
        for i in itertools.count():
            drawn.append(i)
            yield Request(i, [2 + i % 20, 3])

    found = list(itertools.islice(engine.generate(endless(), SAMPLINGS["greedy"]), 30))
    assert len(found) == 30 and len(drawn) <= 30 + 2 * engine.slots


def test_a_completion_comes_as_soon_as_it_is_there(engine, expected):
    long = next(c.request for c in expected["greedy"].values() if len(c.tokens) == 10)
    requests = [prompts()[long], prompts()[LENGTHS.index(47)]]
    assert [c.request for c in engine.generate(requests, SAMPLINGS["greedy"])] == [requests[1].id, long]


def test_the_cache_ends_what_does_not_fit(engine):
    found = generate(engine, prompts(), config.Sampling(max_tokens=100)).values()
    ended = {c.request: len(c.tokens) for c in found if c.finish == "length"}
    assert len(ended) > 2 and ended == {i: LENGTH - LENGTHS[i] for i in ended}


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (Request(77, []), "request 77: the prompt is empty"),
        (Request(77, [2] * LENGTH), "request 77: the prompt has 48 tokens; with its completion it must fit into 48"),
        (Request(77, [2, 24]), r"request 77: ids must lie in \[0, 24\), the prompt has 2 to 24"),
        (Request(77, [-1]), "request 77: ids must lie in"),
        (Request(77, [0.5]), "request 77: the prompt must be a sequence of ids"),
        (Request(2**32, [2]), r"request 4294967296: the id must lie in \[0, 2\*\*32\)"),
        (Request(77, [2], max_tokens=0), "request 77: max_tokens must be positive, got 0"),
    ],
)
def test_a_bad_request_is_an_error_after_those_before_it_are_served(engine, expected, bad, message):
    before, found = prompts()[:7], []

    with pytest.raises(ValueError, match=message):
        found.extend(engine.generate([*before, bad, *prompts()[7:]], SAMPLINGS["greedy"]))
    assert sorted(completion.request for completion in found) == list(range(7))


def test_a_wrong_setting_is_an_error_at_once(engine):
    with pytest.raises(ValueError, match="temperature must not be negative"):
        engine.generate([], config.Sampling(temperature=-1.0))


def test_an_iterator_left_early_changes_no_other(engine, expected):
    for sampling in SAMPLINGS.values():
        next(engine.generate(prompts(), sampling))
    assert tokens_of(generate(engine, prompts(), SAMPLINGS["drawn"])) == tokens_of(expected["drawn"])


def test_iterators_run_side_by_side(engine, expected):
    found = {name: {} for name in SAMPLINGS}
    running = [(name, engine.generate(prompts(), sampling)) for name, sampling in SAMPLINGS.items()]
    for round_ in itertools.zip_longest(*(completions for _, completions in running)):
        for (name, _), completion in zip(running, round_, strict=True):
            if completion:
                found[name][completion.request, completion.sample] = completion
    assert {name: tokens_of(f) for name, f in found.items()} == {name: tokens_of(e) for name, e in expected.items()}


def test_a_long_mixed_run_compiles_nothing_more(params):
    engine = build(params)
    for samples in (1, 2):
        generate(engine, prompts(), config.Sampling(max_tokens=2, samples=samples))
    known = list(engine.programs)
    with compilations() as compiled:
        for seed in range(6):
            sampling = config.Sampling(temperature=0.3 * seed, top_p=0.5, max_tokens=3 + seed, samples=1 + seed % 2)
            generate(engine, prompts(LENGTHS[seed:], first_id=50), sampling)
            list(engine.stream(prompts(LENGTHS[:5]), sampling))
    assert compiled == [] and list(engine.programs) == known
    assert sorted(known) == [
        "clear 3 slots, 3 pages, 3 of prompts for 1 each",
        "clear 3 slots, 3 pages, 3 of prompts for 2 each",
        "copy params",
        "decode 8 steps of 3 slots, 3 pages, 3 of prompts for 1 each",
        "decode 8 steps of 3 slots, 3 pages, 3 of prompts for 2 each",
        "free 3 slots",
        "prefill 1 x 16 tokens into 3 pages",
        "prefill 1 x 32 tokens into 3 pages",
        "prefill 1 x 64 tokens into 3 pages",
    ]


@pytest.mark.parametrize("sizes", [{}, {"data": 2, "tensor": 2}], ids=str)
def test_at_its_end_a_job_goes_on_with_fewer_slots(params, sizes):
    sampling = config.Sampling(max_tokens=40, temperature=1.0, samples=2, seed=1)
    devices = mesh.make(config.Mesh(**{"data": 1} | sizes), jax.devices()[: math.prod(sizes.values())])
    wide = build(params, 32, mesh=devices, steps=2)
    wide.compile(sampling)
    known = list(wide.programs)
    assert {int(name.split()[4]) for name in known if name.startswith("decode")} == {32, 24, 16}
    with compilations() as compiled:
        found = tokens_of(generate(wide, prompts(), sampling))
    assert found == tokens_of(generate(build(params, 4), prompts(), sampling))
    assert compiled == [] and list(wide.programs) == known
    assert wide.counts.steps < 32 * 40  # as many as if all had gone on to the end


def test_other_params_are_taken_without_compiling(params, engine, expected):
    other = jax.device_put(sharpened(1))
    running = engine.generate(prompts(), SAMPLINGS["greedy"])
    first = next(running)
    with compilations() as compiled:
        engine.update_params(other)
        jax.tree.map(lambda leaf: leaf.delete(), other)  # as a training step does to params given up to it
        found = tokens_of(generate(engine, prompts(), SAMPLINGS["greedy"]))
        rest = {(c.request, c.sample): c for c in [first, *running]}
        engine.update_params(params)
    assert compiled == []
    assert tokens_of(rest) == tokens_of(expected["greedy"])  # what was under way keeps its params
    assert found != tokens_of(rest)
    assert found[2, 0][0] == naive(sharpened(1), prompts()[2], 0, SAMPLINGS["greedy"])[0][: len(found[2, 0][0])]


def test_params_of_another_shape_are_an_error(engine, params):
    wrong = params | {"norm": {"scale": jnp.ones(7)}}
    with pytest.raises(ValueError, match=r"params of norm/scale have shape \(7,\), the model's are \(32,\)"):
        engine.update_params(wrong)
    with pytest.raises(ValueError, match=r"params of layers/.* have shape None"):
        engine.update_params({name: part for name, part in params.items() if name != "layers"})


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"eos_id": 24}, r"eos_id must lie in \[0, 24\), got 24"),
        ({"eos_id": (1, -1)}, r"eos_id must lie in \[0, 24\), got -1"),
        ({"slots": 0}, "slots and steps must be positive, got slots=0"),
        ({"length": 1}, "length must leave room for a prompt and a completion, got 1"),
        ({"prompt": LENGTH}, r"prompt must lie in \[1, length=48\), got 48"),
    ],
)
def test_an_engine_that_cannot_be_is_an_error(params, settings, message):
    with pytest.raises(ValueError, match=message):
        build(params, **settings)


def test_slots_that_the_mesh_cannot_share_are_an_error(params):
    with pytest.raises(ValueError, match="slots=6 must be a multiple of the 8 parts"):
        build(params, 6, mesh=mesh.make(config.Mesh()))


def test_bfloat16_stays_near_float32(params):
    engine = build(params, dtype="bfloat16")
    completion = next(engine.generate(prompts()[2:3], SAMPLINGS["greedy"]))
    ids = [*prompts()[2].prompt, *completion.tokens]
    logits = whole_pass()(params, np.array(ids + [0] * (LENGTH - len(ids)), np.int32), len(ids))
    exact = jax.nn.log_softmax(logits)[np.arange(11, len(ids) - 1), completion.tokens]
    assert np.abs(np.array(completion.log_probabilities) - exact).mean() < 0.2


def test_the_counts_are_those_of_the_completions(engine):
    before = dataclasses.replace(engine.counts)
    found = generate(engine, prompts(), SAMPLINGS["drawn"]).values()
    assert engine.counts.completions - before.completions == len(found) == 24
    assert engine.counts.tokens - before.tokens == sum(len(c.tokens) + (c.finish == "stop") for c in found)
    assert engine.counts.prompt_tokens - before.prompt_tokens == sum(LENGTHS)
    assert 0.2 < engine.counts.busy <= 1
