"""Annotations get exact values, whatever the borders of tokens, and the rest of the batch does not notice."""

import json
import re

import jax
import numpy as np
import pytest
from test_engine import MODEL, sharpened, whole_pass

from mathjax import config
from mathjax.sample import guide
from mathjax.sample.advice import Advice
from mathjax.sample.calculator import Calculator, annotation_value
from mathjax.sample.engine import Engine, Request
from mathjax.tokens import CharacterTokenizer, PretrainedTokenizer


@pytest.mark.parametrize(
    ("left", "value"),
    [
        ("48/2", "24"),
        ("12/60", "0.2"),
        (".5*3", "1.5"),
        ("0.5*4", "2"),
        ("5-8", "-3"),
        ("1,000*3", "3000"),
        ("(3+4)*2", "14"),
        ("20%", "0.2"),
        ("100*20%", "20"),
        (" 3 + 4 ", "7"),
        ("1/8", "0.125"),
        ("2**3", "8"),
        ("24", "24"),
        ("0*5", "0"),
        ("10/3", None),  # no decimal
        ("5/0", None),
        ("9**9**9**9", None),
        ("10**40", None),
        ("x+1", None),
        ("", None),
        ("3+", None),
        ("1,00*2", None),
        ("__import__('os')", None),
    ],
)
def test_a_value_is_written_as_the_corpus_writes_it(left, value):
    assert annotation_value(left) == value


def test_the_annotations_of_gsm8k_are_reproduced(public_data):
    """All 23,716 in value; 97.2% of them character for character, the others being money (2.50) or without a 0 (.5)."""
    equal = total = 0
    for line in (public_data / "gsm8k" / "train.jsonl").read_text(encoding="utf-8").splitlines():
        for left, right in re.findall(r"<<([^<>=]*)=([^<>=]*)>>", json.loads(line)["answer"]):
            found = annotation_value(left)
            assert float(found) == pytest.approx(float(right), rel=1e-12)
            equal, total = equal + (found == right), total + 1
            if found != right:
                money = re.fullmatch(r"-?\d*\.\d*0", right) and right.rstrip("0").rstrip(".") in (found, found[1:])
                assert money or right == found.replace("0.", ".", 1)
    assert total == 23716 and equal / total > 0.971


@pytest.fixture(scope="module")
def merging():
    """A byte-level BPE tokenizer with tokens that merge `=` with what comes before and after it."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers

    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    merges = [("=", "="), ("=", ">"), ("2", "="), ("<", "<"), (">", ">"), ("=", "7"), ("4", ">>")]
    words = [*letters, *("".join(pair) for pair in merges), "<end>"]
    made = Tokenizer(models.BPE({word: i for i, word in enumerate(words)}, merges))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    made.decoder = decoders.ByteLevel()
    return PretrainedTokenizer(made.to_str(), json.dumps({"eos_token": "<end>"}))


def asked(tokenizer, pieces, forced=0, since=0):
    """What the calculator says to a text that comes in these tokens, and the text that its advice makes."""
    ids = [token for piece in pieces for token in tokenizer.encode(piece)]
    marks = np.arange(len(ids)) < forced
    advice = Calculator(tokenizer)(np.array(ids, np.int32), marks, since)
    return None if advice is None else tokenizer.decode([*ids[: advice.keep], *advice.forced])


@pytest.mark.parametrize(
    ("pieces", "made"),
    [
        (["half: <<48/", "2", "="], "half: <<48/2=24>>"),
        (["<<48/", "2="], "<<48/2=24>>"),  # one token, which ends with =
        (["<<48/2", "=7", "1"], "<<48/2=24>>"),  # merged with a digit of the model's own
        (["<<1+1", "=>", " oh"], "<<1+1=2>>"),
        (["<<1+1", "==", "2"], "<<1+1=2>>"),
        (["<<a=1>> and <<2*3="], "<<a=1>> and <<2*3=6>>"),  # what cannot be computed is passed over
        (["<<1+1=2>> then <<2+2="], "<<1+1=2>>"),  # the first counts
        (["<<7/3=", "2.33"], None),
        (["7*3=", "21"], None),
        (["<<7*3", "+"], None),
        (["<<", "\n", "7*3="], None),
        (["é<<5-8="], "é<<5-8=-3>>"),
    ],
)
def test_an_annotation_is_closed_with_its_value(merging, pieces, made):
    assert asked(merging, pieces) == made


def test_what_was_forced_is_not_asked_about_again(merging):
    text = "<<1+1=2>>"
    count = len(merging.encode(text))
    assert asked(merging, [text], forced=count) is None
    assert asked(merging, [text, " <<2+2="], forced=count) == "<<1+1=2>> <<2+2=4>>"


def test_a_tokenizer_without_the_characters_is_left_alone():
    few = CharacterTokenizer("0123456789+=<")
    assert Calculator(few)(np.array(few.encode("<<1+2=")), np.zeros(6, bool), 0) is None


# The engine: the tiny model of test_engine, whose 24 tokens are read as characters

SAMPLING = config.Sampling(max_tokens=24, temperature=2.0, samples=4, seed=11)
PROMPTS = [Request(i, [2 + (5 * i + j) % 22 for j in range(3 + i)]) for i in range(5)]


class Scripted:
    """A guide that forces [20, 21, 22] behind each token 10 that is not forced, and ends behind a 9."""

    def __call__(self, tokens, forced, since):
        for place, token in enumerate(tokens):
            if token == 10 and not forced[place] and not (place + 1 < len(tokens) and forced[place + 1]):
                return Advice(place + 1, (20, 21, 22))
            if token == 9:
                return Advice(place + 1, end=True)
        return None


@pytest.fixture(scope="module")
def params():
    return sharpened(0)


def build(params, slots=4, **settings):
    return Engine(MODEL, params, **{"slots": slots, "length": 48, "eos_id": 1, "steps": 3} | settings)


@pytest.fixture(scope="module")
def engine(params):
    return build(params)


def answers(engine, requests=PROMPTS, sampling=SAMPLING, scripted=None):
    found = {}
    for completion in engine.generate(requests, sampling, scripted):
        about = completion.tokens, completion.forced, completion.finish, completion.stop
        found[completion.request, completion.sample] = about
    return found


@pytest.fixture(scope="module")
def expected(params):
    return answers(build(params, slots=1, steps=1), scripted=Scripted())


def test_guides_step_in_and_end(expected):
    assert sum(any(forced) for _, forced, _, _ in expected.values()) > 4
    assert sum(tokens[-1:] == (9,) and finish == "stop" for tokens, _, finish, _ in expected.values()) > 4
    assert not any(9 in tokens[:-1] for tokens, _, _, _ in expected.values())
    for tokens, forced, _, _ in expected.values():
        for place, token in enumerate(tokens[:-3]):
            if token == 10 and not forced[place]:
                assert tokens[place + 1 : place + 4] == (20, 21, 22) and all(forced[place + 1 : place + 4])


def test_a_guided_completion_does_not_depend_on_slots_or_looks(params, engine, expected):
    assert answers(engine, scripted=Scripted()) == expected
    assert answers(build(params, slots=16, steps=8), scripted=Scripted()) == expected


def test_neighbours_of_a_guided_completion_do_not_notice(engine):
    plain = answers(engine)

    def some(tokens, forced, since):  # steps in for those only that begin like the first
        return Scripted()(tokens, forced, since) if tuple(tokens[:1]) == plain[0, 0][0][:1] else None

    mixed = answers(engine, scripted=some)
    alone = {name: about for name, about in plain.items() if about[0][:1] != plain[0, 0][0][:1]}
    assert mixed != plain and alone and alone.items() <= mixed.items()


def test_a_forced_text_continues_as_if_it_had_been_the_prompt(engine):
    """The cache is the one that reading prompt and text again makes: same tokens, same log-probabilities."""
    compared = 0
    for completion in engine.generate(PROMPTS, SAMPLING, Scripted()):
        end = max((place for place, mark in enumerate(completion.forced) if mark), default=-1) + 1
        rest = completion.tokens[end:]
        prompt = [*PROMPTS[completion.request].prompt, *completion.tokens[:end]]
        if end and rest and compared < 5:
            [again] = engine.generate([Request(completion.request, prompt, (completion.sample,))], SAMPLING)
            assert again.tokens[: len(rest)] == rest
            found = again.log_probabilities[: len(rest)]
            np.testing.assert_allclose(found, completion.log_probabilities[end:], atol=1e-4)
            compared += 1
    assert compared == 5


def test_log_probabilities_of_forced_tokens_are_the_models_own(params, engine):
    found = [c for c in engine.generate(PROMPTS, SAMPLING, Scripted()) if any(c.forced)]
    for completion in found:
        ids = [*PROMPTS[completion.request].prompt, *completion.tokens]
        logits = whole_pass()(params, np.array(ids + [0] * (48 - len(ids)), np.int32), len(ids))
        first = len(ids) - len(completion.tokens)
        own = jax.nn.log_softmax(logits)[np.arange(first - 1, len(ids) - 1), completion.tokens]
        np.testing.assert_allclose(completion.log_probabilities, own, atol=1e-4)
    assert found


def test_annotations_of_a_character_model_are_closed(params):
    """The tiny model writes noise; what it is made to begin as `<<7*8`, it now and then goes on with `=`."""
    tokenizer = CharacterTokenizer("0123456789+-*/.=<>() ")
    sampling = config.Sampling(max_tokens=20, temperature=100.0, samples=256, calculator=True, stop=["55"])
    wanted = guide.build(sampling, tokenizer)
    opened = tuple(tokenizer.encode("<<7*8"))

    def opening(tokens, forced, since):
        return wanted(tokens, forced, since) if any(forced) else Advice(0, opened)

    engine = Engine(MODEL, params, slots=64, length=48, eos_id=(1, 23), steps=4)
    closed = stopped = 0
    for completion in engine.generate([Request(0, opened)], sampling, opening):
        text = tokenizer.decode(token for token in completion.tokens if token < tokenizer.vocab_size)
        if text.startswith("<<7*8="):
            closed += 1
            assert "<<7*8=56>>".startswith(text[:10])
            assert all(completion.forced[6:10])
        stopped += text.endswith("55")
        assert "55" not in text[:-1]
    assert closed > 0 and stopped > 0
