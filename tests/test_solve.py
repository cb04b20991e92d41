"""Questions in, graded attempts out, with a tiny model of random params."""

import itertools

import jax
import pytest

from mathjax import config
from mathjax.model import decoder
from mathjax.records import Record
from mathjax.sample.engine import Engine, Request
from mathjax.solve import solve
from mathjax.tokens import CharacterTokenizer
from mathjax.verify import verify

TOKENIZER = CharacterTokenizer()
MODEL = config.Model(vocab_size=TOKENIZER.vocab_size, layers=1, width=16, heads=2, kv_heads=1, head_dim=8, mlp_width=16)
SAMPLING = config.Sampling(temperature=1.0, max_tokens=12, samples=2, seed=3)


@pytest.fixture(scope="module")
def engine():
    params = decoder.init(MODEL, jax.random.key(0))
    return Engine(MODEL, params, slots=3, length=24, eos_id=TOKENIZER.eos_id, steps=2)


def sums(count):
    return [Record(question=f"{i}+{i % 7}=", answer=str(i + i % 7), style="arithmetic") for i in range(count)]


def attempts(records, engine, sampling=SAMPLING):
    return list(solve(records, engine, TOKENIZER, "plain", sampling))


def test_attempts_come_in_the_order_of_records_and_samples(engine):
    records = sums(10)
    found = attempts(records, engine)
    assert [(attempt.index, attempt.sample) for attempt in found] == list(itertools.product(range(10), range(2)))
    assert [attempt.record for attempt in found] == [record for record in records for _ in range(2)]
    assert len({len(attempt.completion.tokens) for attempt in found}) > 2  # they did end at different times


def test_an_attempt_holds_what_the_engine_gave_and_what_verify_says_of_it(engine):
    records = sums(6)
    requests = [Request(i, TOKENIZER.encode(record.question)) for i, record in enumerate(records)]
    given = {(c.request, c.sample): c for c in engine.generate(requests, SAMPLING)}
    for attempt in attempts(records, engine):
        assert attempt.completion == given[attempt.index, attempt.sample]
        assert attempt.text == TOKENIZER.decode(attempt.completion.tokens)
        assert attempt.verdict == verify(attempt.record, attempt.text)


def test_records_are_read_as_slots_come_free_and_not_before(engine):
    read = []

    def endless():
        for i in itertools.count():
            read.append(i)
            yield Record(question=f"{i % 10}+1=", style="arithmetic")

    attempts_ = solve(endless(), engine, TOKENIZER, "plain", SAMPLING)
    for number in range(40):
        attempt = next(attempts_)
        assert attempt.index == number // 2
        assert len(read) <= attempt.index + 1 + engine.slots * SAMPLING.max_tokens
    attempts_.close()
    assert len(read) < 80


@pytest.mark.parametrize(
    ("question", "said"),
    [("1+x=", r"record 2, '1\+x=': unknown character 'x' at place 2"), ("1" * 24, "record 2, '1*': .* 24 tokens")],
)
def test_a_record_that_cannot_be_asked_is_named(engine, question, said):
    records = [*sums(2), Record(question=question, style="arithmetic")]
    with pytest.raises(ValueError, match=said):
        attempts(records, engine)


def test_a_template_that_is_not_there_is_an_error(engine):
    with pytest.raises(ValueError, match="no template 'none'"):
        list(solve(sums(1), engine, TOKENIZER, "none", SAMPLING))


def test_no_records_give_no_attempts(engine):
    assert attempts([], engine) == []


def test_progress_says_how_many_there_are(engine, capsys):
    attempts(sums(5), engine)
    assert "solving: 10/10 attempts" in capsys.readouterr().err
