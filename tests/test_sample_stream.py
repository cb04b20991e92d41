"""Tokens as they come, texts that end a completion, requests that are given up, and what a request asks for itself."""

import json

import numpy as np
import pytest
from test_engine import MODEL, prompts, sharpened, tokens_of

from mathjax import config
from mathjax.sample import guide
from mathjax.sample.engine import Completion, Engine, Piece, Request
from mathjax.sample.stops import StopStrings, cut
from mathjax.tokens import CharacterTokenizer, PretrainedTokenizer

TOKENIZER = CharacterTokenizer("abcdefghijklmnopqrstu ")  # the 24 tokens of the tiny model
SAMPLING = config.Sampling(max_tokens=16, temperature=2.0, samples=3, seed=1)


@pytest.fixture(scope="module")
def engine():
    return Engine(MODEL, sharpened(0), slots=4, length=48, eos_id=1, steps=3)


@pytest.fixture(scope="module")
def expected(engine):
    return {(c.request, c.sample): c for c in engine.generate(prompts(), SAMPLING)}


def texts(completions):
    return {(c.request, c.sample): TOKENIZER.decode(c.tokens) for c in completions}


def test_pieces_make_up_their_completions(engine, expected):
    parts, whole = {}, {}
    for found in engine.stream(prompts(), SAMPLING):
        name = found.request, found.sample
        if isinstance(found, Piece):
            assert name not in whole and 0 < len(found.tokens) <= 3  # steps
            parts.setdefault(name, []).append(found)
        else:
            whole[name] = found
    assert whole == expected
    assert max(map(len, parts.values())) > 3
    for name, completion in whole.items():
        for field in ("tokens", "log_probabilities", "forced"):
            assert sum((getattr(part, field) for part in parts.get(name, [])), ()) == getattr(completion, field)


def test_no_piece_is_taken_back_by_a_guide(engine):
    sampling = config.Sampling(max_tokens=16, temperature=2.0, samples=3, seed=1, stop=["a", "eh"])
    parts = {}
    for found in engine.stream(prompts(), sampling, guide.build(sampling, TOKENIZER)):
        name = found.request, found.sample
        if isinstance(found, Completion):
            assert parts.get(name, ()) == found.tokens
        else:
            parts[name] = parts.get(name, ()) + found.tokens


@pytest.mark.parametrize("steps", [1, 8])
def test_a_completion_ends_with_the_token_that_completes_a_stop_string(engine, expected, steps):
    strings = ["a", "eh", "sdf"]
    sampling = config.Sampling(max_tokens=16, temperature=2.0, samples=3, seed=1, stop=strings)
    plain = texts(expected.values())
    own = Engine(MODEL, sharpened(0), slots=4, length=48, eos_id=1, steps=steps)
    found = list(own.generate(prompts(), sampling, guide.build(sampling, TOKENIZER)))
    stopped = 0
    for completion in found:
        whole, text = plain[completion.request, completion.sample], TOKENIZER.decode(completion.tokens)
        ends = [whole.find(string) + len(string) for string in strings if string in whole]
        assert text == whole[: min(ends, default=len(whole))]
        if ends and len(text) < len(whole):
            assert completion.finish == "stop" and completion.stop is None
            stopped += 1
    assert stopped > 3 and len(found) == len(plain)


@pytest.mark.parametrize(
    ("text", "strings", "left"),
    [
        ("so 4.\n\nQ: next", ["\n\nQ:"], "so 4."),
        ("so 4.\n\nQ: next", ["next", "4"], "so "),
        ("so 4", ["x"], "so 4"),
        ("", ["x"], ""),
        ("x", [], "x"),
    ],
)
def test_a_text_is_cut_where_the_first_stop_string_begins(text, strings, left):
    assert cut(text, strings) == left


def test_stop_strings_are_found_across_the_borders_of_tokens():
    """A byte-level tokenizer with merges, and a string of characters that take several bytes each."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers

    words = [*sorted(pre_tokenizers.ByteLevel.alphabet()), "ab", "bc", "<end>"]
    made = Tokenizer(models.BPE({word: i for i, word in enumerate(words)}, [("a", "b"), ("b", "c")]))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    made.decoder = decoders.ByteLevel()
    tokenizer = PretrainedTokenizer(made.to_str(), json.dumps({"eos_token": "<end>"}))

    def kept(pieces, string):
        ids = np.array([token for piece in pieces for token in tokenizer.encode(piece)], np.int32)
        advice = StopStrings([string], tokenizer)(ids, np.zeros(len(ids), bool), 0)
        return None if advice is None else tokenizer.decode(ids[: advice.keep])

    assert kept(["x", "ab", "bc", "y"], "bb") == "xabbc"  # the token that completes it stays whole
    assert kept(["x", "a", "bc", "y"], "abc") == "xabc"
    assert kept(["é∎ and", " more"], "∎") == "é∎"
    assert kept(["é", "and"], "∎") is None


@pytest.mark.parametrize("setting", [{"stop": ["a"]}, {"calculator": True}])
def test_what_takes_a_guide_is_an_error_without_one(engine, setting):
    with pytest.raises(ValueError, match=r"take a guide, see sample\.guide\.build"):
        engine.generate([], config.Sampling(**setting))


def test_a_cancelled_request_gives_nothing_more(engine, expected):
    given_up, found = set(), []
    for completion in engine.generate(prompts(), SAMPLING, cancelled=given_up):
        assert completion.request not in given_up
        found.append(completion)
        given_up |= {found[0].request, 7, 11}  # one that is done in part, one that waits, one that was not drawn
    names = {(c.request, c.sample) for c in found}
    assert {request for request, _ in expected.keys() - names} == {found[0].request, 7, 11}
    assert tokens_of({(c.request, c.sample): c for c in found}).items() <= tokens_of(expected).items()


def test_closing_the_iterator_gives_up_all(engine, expected):
    running = engine.generate(prompts(), SAMPLING)
    next(running)
    running.close()
    assert list(running) == []
    assert {(c.request, c.sample): c for c in engine.generate(prompts(), SAMPLING)} == expected


def test_a_request_may_ask_for_fewer_tokens_and_for_some_samples(engine, expected):
    asked = [Request(r.id, r.prompt, (2, 0), max_tokens=1 + r.id) for r in prompts()]
    found = {(c.request, c.sample): c for c in engine.generate(asked, SAMPLING)}
    assert found.keys() == {(r.id, sample) for r in prompts() for sample in (0, 2)}
    for (request, sample), completion in found.items():
        assert completion.tokens == expected[request, sample].tokens[: 1 + request]
