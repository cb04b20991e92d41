"""Questions in, graded attempts out, with a tiny model of random params."""

import dataclasses
import hashlib
import itertools
import json
import pathlib
import re
import signal
import subprocess
import sys
import time
import tracemalloc

import jax
import pytest

from mathjax import config, solve
from mathjax.model import decoder
from mathjax.records import Record
from mathjax.sample.engine import Engine, Request
from mathjax.sample.request import Completion
from mathjax.tokens import CharacterTokenizer
from mathjax.verify import verify

TOKENIZER = CharacterTokenizer()
MODEL = config.Model(vocab_size=TOKENIZER.vocab_size, layers=1, width=16, heads=2, kv_heads=1, head_dim=8, mlp_width=16)
SHAPE = dict(slots=3, length=24, eos_id=TOKENIZER.eos_id, steps=2)
SAMPLING = config.Sampling(temperature=1.0, max_tokens=12, samples=2, seed=3)


@pytest.fixture(scope="module")
def engine():
    params = decoder.init(MODEL, jax.random.key(0))
    return Engine(MODEL, params, **SHAPE)


def sums(count):
    return [Record(question=f"{i}+{i % 7}=", answer=str(i + i % 7), style="arithmetic") for i in range(count)]


def attempts(records, engine, sampling=SAMPLING):
    return list(solve.solve(records, engine, TOKENIZER, "plain", sampling))


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

    attempts_ = solve.solve(endless(), engine, TOKENIZER, "plain", SAMPLING)
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


def test_a_text_ends_where_a_stop_string_begins(engine):
    whole, records = attempts(sums(8), engine), sums(8)
    stop = whole[0].text[2:4]
    cut = attempts(records, engine, dataclasses.replace(SAMPLING, stop=[stop]))
    assert [attempt.text for attempt in cut] == [attempt.text.partition(stop)[0] for attempt in whole]


def test_a_template_that_is_not_there_is_an_error(engine):
    with pytest.raises(ValueError, match="no template 'none'"):
        list(solve.solve(sums(1), engine, TOKENIZER, "none", SAMPLING))


def test_no_records_give_no_attempts(engine):
    assert attempts([], engine) == []


def test_progress_says_how_many_there_are(engine, capsys):
    attempts(sums(5), engine)
    assert "solving: 10/10 attempts" in capsys.readouterr().err


# Attempts on disk.


def solver(engine, asked_for=None, sampling=SAMPLING):
    """What `stored` calls; notes in `asked_for` which samples were asked."""

    def asked_noted(asked):
        for one in asked:
            if asked_for is not None:
                asked_for.append(one)
            yield one

    return lambda asked: solve.attempts(asked_noted(asked), engine, TOKENIZER, "plain", sampling)


def kept(path, records, engine, asked_for=None, settings=None, samples=2, **options):
    return solve.stored(path, settings or {"seed": 3}, records, samples, solver(engine, asked_for), **options)


def names(rows):
    return [(row["index"], row["sample"]) for row in rows]


def test_stored_rows_are_those_of_the_attempts_in_order_and_on_disk(engine, tmp_path):
    records = sums(10)
    rows = list(kept(tmp_path / "a.jsonl", records, engine))
    assert names(rows) == list(itertools.product(range(10), range(2)))
    for row, attempt in zip(rows, attempts(records, engine), strict=True):
        assert row["completion"] == attempt.text and row["finish"] == attempt.completion.finish
        assert row["verdict"]["correct"] == attempt.verdict.correct
        assert row["tokens"] == len(attempt.completion.tokens)
        assert row["log_probability"] == pytest.approx(sum(attempt.completion.log_probabilities), abs=1e-4)
    assert [json.loads(line) for line in (tmp_path / "a.jsonl").read_text().splitlines()] == rows
    about = solve.about(tmp_path / "a.jsonl")
    assert about["complete"] and about["settings"] == {"seed": 3}
    assert about["sha256"] == hashlib.sha256((tmp_path / "a.jsonl").read_bytes()).hexdigest()
    assert about["cost"]["attempts"] == 20


def test_what_is_there_is_not_asked_again(engine, tmp_path):
    first = list(kept(tmp_path / "a.jsonl", sums(6), engine))
    again = list(solve.stored(tmp_path / "a.jsonl", {"seed": 3}, sums(6), 2, lambda asked: pytest.fail("asked")))
    assert again == first


@pytest.mark.parametrize("taken", [1, 7, 19])
def test_a_run_that_stopped_anywhere_asks_what_is_missing_and_has_the_bytes_of_an_unbroken_one(engine, tmp_path, taken):
    whole, broken = tmp_path / "whole.jsonl", tmp_path / "broken.jsonl"
    list(kept(whole, sums(10), engine))
    run = kept(broken, sums(10), engine)
    for _ in range(taken):
        next(run)
    run.close()
    there = names(map(json.loads, broken.read_text().splitlines()))
    assert len(there) == len(set(there)) >= taken and not solve.about(broken)["complete"]
    asked = []
    assert names(kept(broken, sums(10), engine, asked)) == names(map(json.loads, whole.read_text().splitlines()))
    wanted = [(one.index, sample) for one in asked for sample in one.samples or range(2)]
    assert sorted(wanted + there) == list(itertools.product(range(10), range(2)))
    assert broken.read_bytes() == whole.read_bytes()


@pytest.mark.parametrize("rows", [0, 5])
def test_a_torn_last_row_is_dropped_and_asked_again(engine, tmp_path, rows):
    path = tmp_path / "a.jsonl"
    list(kept(path, sums(4), engine))
    bytes_, lines = path.read_bytes(), path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:rows]) + lines[rows][:-7])
    list(kept(path, sums(4), engine))
    assert path.read_bytes() == bytes_


def test_more_samples_are_added_to_those_that_are_there(engine, tmp_path):
    asked = []
    list(kept(tmp_path / "a.jsonl", sums(3), engine))
    solved = solver(engine, asked, dataclasses.replace(SAMPLING, samples=4))
    rows = list(solve.stored(tmp_path / "a.jsonl", {"seed": 3}, sums(3), 4, solved))
    assert names(rows) == list(itertools.product(range(3), range(4)))
    assert [one.samples for one in asked] == [(2, 3)] * 3


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"settings": {"seed": 4, "model": {"layers": 1}}}, "layers is not set there, 1 now; seed is 3 there, 4 now"),
        ({"records": sums(2)}, "has rows of 3 records, 2 are asked"),
        ({"samples": 1}, "line 2: sample 1 is there, and 1 samples are asked"),
    ],
)  # fmt: skip
def test_rows_of_another_job_are_an_error(engine, tmp_path, change, said):
    list(kept(tmp_path / "a.jsonl", sums(3), engine))
    with pytest.raises(ValueError, match=said):
        list(kept(tmp_path / "a.jsonl", **{"records": sums(3), "engine": engine} | change))


def test_rows_of_other_settings_are_made_anew_where_that_is_wanted(engine, tmp_path):
    path = tmp_path / "a.jsonl"
    list(kept(path, sums(3), engine))
    assert names(kept(path, sums(2), engine, settings={"seed": 4}, anew=True)) == [(0, 0), (0, 1), (1, 0), (1, 1)]
    assert solve.about(path)["settings"] == {"seed": 4}


def test_a_file_with_something_else_in_it_is_named(engine, tmp_path):
    path = tmp_path / "a.jsonl"
    list(kept(path, sums(2), engine))
    path.write_text(path.read_text() + '{"question": "1+1="}\n')
    with pytest.raises(ValueError, match=r"a\.jsonl, line 5: a stored attempt has index and sample"):
        list(kept(path, sums(2), engine))
    with pytest.raises(ValueError, match=r"ends in \.jsonl"):
        next(kept(tmp_path / "a.json", sums(2), engine))


def test_two_at_a_time_do_not_write_one_file(engine, tmp_path):
    run = kept(tmp_path / "a.jsonl", sums(4), engine)
    next(run)
    with pytest.raises(BlockingIOError, match="another process is writing"):
        next(kept(tmp_path / "a.jsonl", sums(4), engine))
    run.close()


def test_progress_counts_from_what_is_there_and_says_tokens_and_share(engine, tmp_path, capsys):
    run = kept(tmp_path / "a.jsonl", sums(10), engine)
    next(run)
    run.close()
    there = len((tmp_path / "a.jsonl").read_text().splitlines())
    capsys.readouterr()
    list(kept(tmp_path / "a.jsonl", sums(10), engine))
    said = capsys.readouterr().err
    assert f"solving: {there}/20 attempts" in said
    assert re.search(r"solving: 20/20 attempts.* \d+\.\d% correct, [\d,]+ tokens/s", said)


KILLED = """
import sys, time, itertools, jax
sys.path.insert(0, {tests!r})
import test_solve
from mathjax.model import decoder

def slowly():
    for record in test_solve.sums(40):
        time.sleep(0.01)
        yield record

engine = test_solve.Engine(test_solve.MODEL, decoder.init(test_solve.MODEL, jax.random.key(0)), **test_solve.SHAPE)
for row in test_solve.kept({path!r}, slowly(), engine):
    pass
"""


def test_a_killed_process_loses_only_what_was_being_completed(engine, tmp_path):
    whole, path = tmp_path / "whole.jsonl", tmp_path / "killed.jsonl"
    list(kept(whole, sums(40), engine))
    program = KILLED.format(tests=str(pathlib.Path(__file__).parent), path=str(path))
    process = subprocess.Popen([sys.executable, "-c", program], stderr=subprocess.PIPE)
    while process.poll() is None and (not path.exists() or path.read_bytes().count(b"\n") < 25):
        time.sleep(0.002)
    process.kill()
    said = process.communicate()[1].decode()
    assert process.returncode == -signal.SIGKILL, said
    rows = [line for line in path.read_bytes().splitlines(keepends=True) if line.endswith(b"\n")]
    there = names(map(json.loads, rows))
    assert 25 <= len(there) == len(set(there)) < 80
    asked = []
    list(kept(path, sums(40), engine, asked))
    assert sum(len(one.samples or range(2)) for one in asked) == 80 - len(there)
    assert path.read_bytes() == whole.read_bytes()


def test_memory_does_not_grow_with_the_number_of_records(tmp_path):
    def records():
        return (Record(question=f"{i}+{i}=", answer=str(2 * i), style="arithmetic") for i in range(5_000))

    def overtaking(asked):
        """Attempts in groups of a hundred, the last of a group first."""
        while group := list(itertools.islice(asked, 100)):
            for one in reversed(group):
                completion = Completion(request=one.index, sample=0, text=one.record.answer, finish="stop", length=4)
                verdict = verify(one.record, completion.text)
                yield solve.Attempt(record=one.record, completion=completion, text=completion.text, verdict=verdict)

    peaks = []
    for number in range(2):  # made, and read again
        tracemalloc.start()
        count = sum(row["verdict"]["correct"] for row in solve.stored(
            tmp_path / "a.jsonl", {}, records(), 1, overtaking if number == 0 else None
        ))  # fmt: skip
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert count == 5_000
    assert (tmp_path / "a.jsonl").stat().st_size > 1_300_000
    assert max(peaks) < 400_000, peaks
