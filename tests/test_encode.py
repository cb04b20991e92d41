"""Records as ids and weights, one by one and many at once, and the cache of them."""

import fcntl
import json
import shutil
import subprocess
import sys
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mathjax import prompts, records, tokens
from mathjax.data import cache, encode
from mathjax.records import Record

TOKENIZER = tokens.CharacterTokenizer()
TEXT = st.text(alphabet=tokens.ALPHABET, max_size=12)


def some(n, start=0):
    return [
        Record(question=f"{i}+{i * i}=", solution=str(i + i * i), style="arithmetic") for i in range(start, start + n)
    ]


def made(path, folder=None, tokenizer=TOKENIZER, template="plain", workers=None):
    return cache.encoded(str(path), records.digest(path), tokenizer, template, folder, workers)


def rows(encoded):
    return [
        (encoded.tokens[a:b].tolist(), int(p))
        for a, b, p in zip(encoded.offsets[:-1], encoded.offsets[1:], encoded.prompts, strict=True)
    ]


def slow(found):
    return [
        (encode.example(record, TOKENIZER, "plain", "all")[0], len(TOKENIZER.encode(record.question)))
        for record in found
    ]


def test_ids_are_prompt_solution_and_end():
    ids, _ = encode.example(Record(question="1+2=", solution="3"), TOKENIZER, "plain", "all")
    assert ids == [*TOKENIZER.encode("1+2="), *TOKENIZER.encode("3"), TOKENIZER.eos_id]


def test_every_target_counts_when_all_do():
    _, weights = encode.example(Record(question="1+2=", solution="3"), TOKENIZER, "plain", "all")
    assert (weights.dtype, weights.tolist()) == (np.float32, [1, 1, 1, 1, 1])


def test_the_solution_and_its_end_count_for_instruction_data():
    ids, weights = encode.example(Record(question="1+2=", solution="30"), TOKENIZER, "plain", "solution")
    assert TOKENIZER.decode([t for t, w in zip(ids[1:], weights, strict=True) if w == 1]) == "30"
    assert weights.tolist() == [0, 0, 0, 1, 1, 1]


@given(TEXT, TEXT)
def test_no_target_of_the_prompt_counts_for_instruction_data(question, solution):
    ids, weights = encode.example(Record(question=question, solution=solution), TOKENIZER, "plain", "solution")
    counted = [place + 1 for place in range(len(ids) - 1) if weights[place]]
    assert counted == [place for place in range(len(question), len(ids)) if place]


@given(st.lists(st.tuples(TEXT, TEXT), max_size=6))
def test_many_records_are_encoded_as_each_is(pairs):
    found = [Record(question=question, solution=solution) for question, solution in pairs]
    assert rows(encode.many(found, TOKENIZER, "plain")) == slow(found)


def test_the_prompt_is_rendered():
    tokenizer = tokens.CharacterTokenizer("".join(sorted(set(prompts.TEMPLATES["alpaca"]) | set("12+= ?"))))
    ids, weights = encode.example(Record(question="1+1?", solution="=2"), tokenizer, "alpaca", "solution")
    assert tokenizer.decode(ids) == prompts.render("alpaca", "1+1?") + "=2"
    assert weights.sum() == 3


@pytest.mark.parametrize("folder", [None, "cache"])
def test_files_are_encoded_as_their_records_are(tmp_path, folder):
    for name, start in (("a", 0), ("b", 100)):
        records.write(tmp_path / f"{name}.jsonl", some(100, start))
    assert rows(made(tmp_path / "*.jsonl", folder and tmp_path / folder)) == slow(some(200))


def test_processes_and_parts_change_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(cache, "PART", 64)
    records.write(tmp_path / "a.jsonl.gz", some(1000))
    alone = made(tmp_path / "a.jsonl.gz", workers=1)
    assert rows(alone) == slow(some(1000))
    assert rows(made(tmp_path / "a.jsonl.gz", tmp_path / "cache", workers=2)) == rows(alone)


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"question": "1+1="}', "to learn from a record it needs a solution, '1[+]1=' has none"),
        ('{"question": "1+1=", "solution": "two"}', "unknown character 't' at place 0"),
        ('{"question": "one=", "solution": "1"}', "unknown character 'o' at place 0"),
        ('{"question": "1+1=", "solution": 2}', "solution must be str or nothing, got 2"),
    ],
)
def test_a_record_that_cannot_be_encoded_is_named(tmp_path, monkeypatch, line, message, workers):
    monkeypatch.setattr(cache, "PART", 16)
    lines = [records.line(record) for record in some(40)]
    lines[36] = line
    (tmp_path / "a.jsonl").write_text("\n".join(lines))
    with pytest.raises(ValueError, match=rf"a\.jsonl, line 37: {message}"):
        made(tmp_path / "a.jsonl", tmp_path / "cache", workers=workers)
    (tmp_path / "a.jsonl").write_text("\n".join(lines[:36]))
    assert len(made(tmp_path / "a.jsonl", tmp_path / "cache")) == 36


def test_no_records_are_refused(tmp_path):
    records.write(tmp_path / "a.jsonl", [])
    with pytest.raises(ValueError, match=r"a\.jsonl: no records"):
        made(tmp_path / "a.jsonl")


@pytest.mark.parametrize("folder", [None, "cache"])
def test_a_file_that_changes_meanwhile_is_refused(tmp_path, folder):
    records.write(tmp_path / "a.jsonl", some(10))
    before = records.digest(tmp_path / "a.jsonl")
    records.write(tmp_path / "a.jsonl", some(10, 1))
    with pytest.raises(ValueError, match=r"a\.jsonl changed while it was encoded"):
        cache.encoded(str(tmp_path / "a.jsonl"), before, TOKENIZER, "plain", folder and tmp_path / folder)
    assert list(tmp_path.glob("cache/*/about.json")) == []


def test_what_is_cached_is_not_made_again(tmp_path):
    records.write(tmp_path / "a.jsonl", some(10))
    first = made(tmp_path / "a.jsonl", tmp_path / "cache")
    (folder,) = (entry for entry in (tmp_path / "cache").iterdir() if entry.is_dir())
    stamp = (folder / "tokens").stat().st_mtime_ns
    shutil.copy(tmp_path / "a.jsonl", tmp_path / "b.jsonl")
    assert rows(made(tmp_path / "b.jsonl", tmp_path / "cache")) == rows(first)
    assert (folder / "tokens").stat().st_mtime_ns == stamp


def test_a_changed_file_is_encoded_again(tmp_path):
    path = tmp_path / "a.jsonl"
    for content in (some(10), some(10, 1), [*some(9), Record(question="1+1=", solution="3")]):
        records.write(path, content)
        assert rows(made(path, tmp_path / "cache")) == slow(content)


def test_another_tokenizer_or_template_is_another_cache(tmp_path):
    records.write(tmp_path / "a.jsonl", some(10))
    other = tokens.CharacterTokenizer(tokens.ALPHABET[::-1])
    wide = tokens.CharacterTokenizer("".join(sorted(set(prompts.TEMPLATES["alpaca"]) | set(tokens.ALPHABET))))
    for tokenizer, template in ((TOKENIZER, "plain"), (other, "plain"), (wide, "plain"), (wide, "alpaca")):
        ids, _ = rows(made(tmp_path / "a.jsonl", tmp_path / "cache", tokenizer, template))[3]
        assert tokenizer.decode(ids) == prompts.render(template, "3+9=") + "12"


def test_a_damaged_cache_is_refused(tmp_path):
    records.write(tmp_path / "a.jsonl", some(10))
    made(tmp_path / "a.jsonl", tmp_path / "cache")
    (file,) = (tmp_path / "cache").glob("*/tokens")
    file.write_bytes(file.read_bytes()[:-4])
    with pytest.raises(ValueError, match=r"is damaged .*; remove it, and it is made again"):
        made(tmp_path / "a.jsonl", tmp_path / "cache")


def test_a_killed_encoding_leaves_nothing_that_is_found(tmp_path):
    records.write(tmp_path / "a.jsonl", some(40_000))
    code = (
        "import sys\nfrom mathjax import records, tokens\nfrom mathjax.data import cache\ncache.PART = 64\n"
        "cache.encoded(sys.argv[1], records.digest(sys.argv[1]), tokens.CharacterTokenizer(), 'plain', sys.argv[2])\n"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "a.jsonl"), str(tmp_path / "cache")]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        while not list(tmp_path.glob("cache/.*.part/tokens")):
            assert process.poll() is None
            time.sleep(0.01)
        process.kill()
    assert list(tmp_path.glob("cache/*/about.json")) == []
    assert len(made(tmp_path / "a.jsonl", tmp_path / "cache")) == 40_000
    assert list(tmp_path.glob("cache/.*.part")) == []


def test_a_process_waits_for_another_that_makes_the_same(tmp_path):
    records.write(tmp_path / "a.jsonl", some(10))
    made(tmp_path / "a.jsonl", tmp_path / "cache")
    (folder,) = (entry for entry in (tmp_path / "cache").iterdir() if entry.is_dir())
    folder.rename(tmp_path / "done")
    code = (
        "import sys\nfrom mathjax import records, tokens\nfrom mathjax.data import cache\nprint('begun', flush=True)\n"
        "path, folder = sys.argv[1:]\n"
        "print(len(cache.encoded(path, records.digest(path), tokens.CharacterTokenizer(), 'plain', folder)))\n"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "a.jsonl"), str(tmp_path / "cache")]
    with (
        open(tmp_path / "cache" / f".{folder.name}.lock") as lock,
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as other,
    ):
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert other.stdout.readline() == "begun\n"
        time.sleep(0.3)
        assert other.poll() is None
        assert not folder.exists()
        (tmp_path / "done").rename(folder)
        stamp = (folder / "tokens").stat().st_mtime_ns
        fcntl.flock(lock, fcntl.LOCK_UN)
        assert other.stdout.readline() == "10\n"
    assert (folder / "tokens").stat().st_mtime_ns == stamp


def test_gsm8k_is_encoded_with_its_solutions_weighted(public_data, tmp_path):
    texts = [json.loads(line) for line in (public_data / "gsm8k/test.jsonl").read_text("utf-8").splitlines()][:200]
    alphabet = set(prompts.TEMPLATES["alpaca"]).union(*(row["question"] + row["answer"] for row in texts))
    tokenizer = tokens.CharacterTokenizer("".join(sorted(alphabet)))
    path = tmp_path / "gsm8k.jsonl"
    records.write(path, (Record(question=row["question"], solution=row["answer"]) for row in texts))
    encoded = made(path, tokenizer=tokenizer, template="alpaca")
    for row, (ids, prompt) in zip(texts, rows(encoded), strict=True):
        first = encode.OBJECTIVES["solution"](prompt) + 1
        assert tokenizer.decode(ids[first:]) == row["answer"]
        assert ids[-1] == tokenizer.eos_id
