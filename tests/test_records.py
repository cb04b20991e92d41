"""Records and their files: what goes in comes out, and what is broken is named."""

import gzip
import hashlib
import json
import os
import pickle
import subprocess
import sys
import threading
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mathjax import files, records
from mathjax.records import Record

SUFFIXES = (".jsonl", ".jsonl.gz", ".arrayrecord")
FULL = Record(
    question="Which is 2 × 3?\n",
    answer="B",
    solution="2 · 3 = 6\u2028",
    style="choice",
    source="exam",
    parent="a-1",
    maker="model",
    round=2,
    score=0.5,
    step_labels=(1, 0, -1),
    options=("5", "6"),
    extra={"level": {"name": "easy", "tags": [1, None, "\ud800"]}},
)


def some(n, start=0):
    return [Record(question=f"{i}+1=", answer=str(i + 1), style="arithmetic") for i in range(start, start + n)]


def lines(tmp_path, *texts):
    path = tmp_path / "a.jsonl"
    path.write_bytes(b"".join(text if isinstance(text, bytes) else text.encode() for text in texts))
    return path


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_what_is_written_is_read(tmp_path, suffix):
    written = [FULL, Record(question="", solution="", answer=""), *some(3000)]
    assert records.write(tmp_path / f"a{suffix}", written) == 3002
    found = records.read(tmp_path / f"a{suffix}")
    assert len(found) == 3002
    assert list(found) == written
    assert [found[i] for i in (0, 1, 1023, 1024, 3001, -1)] == [written[i] for i in (0, 1, 1023, 1024, 3001, -1)]
    assert found[1020:1030] == written[1020:1030]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_no_records_are_read_as_none(tmp_path, suffix):
    assert records.write(tmp_path / f"a{suffix}", []) == 0
    assert list(records.read(tmp_path / f"a{suffix}")) == []


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_the_same_records_give_the_same_bytes(tmp_path, suffix):
    for name in "ab":
        records.write(tmp_path / f"{name}{suffix}", some(50))
    assert (tmp_path / f"a{suffix}").read_bytes() == (tmp_path / f"b{suffix}").read_bytes()


@given(st.text(), st.text(), st.dictionaries(st.text(), st.none() | st.integers() | st.text() | st.lists(st.text())))
def test_any_text_survives_a_line(question, solution, extra):
    record = Record(question=question, solution=solution, extra=extra)
    text = records.line(record)
    assert "\n" not in text
    assert records.parse(text.encode()) == record


def test_fields_that_say_nothing_are_left_out():
    assert records.line(Record(question="1+1=")) == '{"question": "1+1=", "style": "cot"}'


def test_null_is_as_good_as_nothing():
    assert records.parse(b'{"question": "q", "answer": null, "source": null, "more": null}') == Record(question="q")


def test_columns_that_a_record_lacks_are_kept_in_extra():
    found = records.parse(b'{"question": "q", "ID": "chal-1", "Body": [1], "extra": {"level": 3}}')
    assert found == Record(question="q", extra={"ID": "chal-1", "Body": [1], "level": 3})


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"question": 3}, "question must be str, got 3"),
        ({"answer": 7}, "answer must be str or nothing, got 7"),
        ({"style": "prose"}, "style must be one of cot, pot, arithmetic, choice; got 'prose'"),
        ({"round": True}, "round must be int or nothing, got True"),
        ({"score": float("nan")}, "score must be finite"),
        ({"step_labels": (1, "0")}, "step_labels must hold int only, got '0'"),
        ({"options": ["a"]}, "options must be tuple or nothing"),
        ({"extra": None}, "extra must be dict, got None"),
    ],
)
def test_a_field_of_a_wrong_kind_is_refused(fields, message):
    with pytest.raises((TypeError, ValueError), match=message):
        Record(**{"question": "q"} | fields)


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (b'{"question": "q"', "Expecting ',' delimiter"),
        (b'["question"]', "a record is a JSON object, got "),
        (b'{"query": "q", "response": "r"}', r"a record needs a question, got \['query', 'response'\]"),
        (b'{"question": "q", "answer": 5}', "answer must be str or nothing, got 5"),
        (b'{"question": "q", "score": NaN}', "NaN is not JSON"),
        (b'{"question": "\xff"}', "can't decode byte 0xff"),
        (b'{"question": "q", "a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "recursion"),
        (b'{"question": "q", "extra": {"a": 1}, "a": 2}', "both a column and in extra"),
        (b'{"question": "q", "options": [1]}', "options must hold str only, got 1"),
        (b"", "Expecting value"),
    ],
)
def test_a_broken_line_names_file_and_line(tmp_path, broken, message):
    path = lines(tmp_path, '{"question": "a"}\n', broken, '\n{"question": "b"}\n')
    found = records.read(path)
    assert (len(found), found[0].question, found[2].question) == (3, "a", "b")
    for reading in (lambda: found[1], lambda: list(found)):
        with pytest.raises(ValueError, match=f"a.jsonl, line 2: .*{message}"):
            reading()


def test_a_line_is_named_in_its_own_file(tmp_path):
    records.write(tmp_path / "a.jsonl", some(5))
    (tmp_path / "b.jsonl").write_text('{"question": "q"}\nx\n')
    with pytest.raises(ValueError, match=r"b\.jsonl, line 2: "):
        list(records.read(tmp_path / "*.jsonl"))


@pytest.mark.parametrize("end", ["", "\n", "\r\n", "\n\n\n", "\n  \n\t\r\n"])
def test_blank_lines_at_the_end_do_not_count(tmp_path, end):
    assert [r.question for r in records.read(lines(tmp_path, '{"question": "a"}\r\n{"question": "b"}', end))] == [
        "a",
        "b",
    ]


def test_a_byte_order_mark_is_no_part_of_the_first_line(tmp_path):
    assert records.read(lines(tmp_path, b"\xef\xbb\xbf", '{"question": "a"}\n'))[0].question == "a"


def test_a_file_of_blank_lines_has_no_records(tmp_path):
    assert len(records.read(lines(tmp_path, "\n\n"))) == 0


def test_lines_longer_than_a_block_are_whole(tmp_path):
    written = [Record(question="7" * (files.BLOCK + k)) for k in range(3)]
    records.write(tmp_path / "a.jsonl", written)
    assert list(records.read(tmp_path / "a.jsonl")) == written


def test_a_glob_is_read_in_the_order_of_its_names(tmp_path):
    for name, start in (("b", 10), ("a", 0), ("c", 20)):
        records.write(tmp_path / name / "x.jsonl", some(10, start))
    records.write(tmp_path / "d" / "x.jsonl", [])
    found = records.read(tmp_path / "*" / "x.jsonl")
    assert list(found) == some(30)
    assert [found[i] for i in range(30)] == some(30)
    assert found.where(19).endswith("b/x.jsonl, line 10")


def test_a_missing_file_lists_what_is_there(tmp_path):
    records.write(tmp_path / "train.jsonl", some(1))
    for wanted in ("tran.jsonl", "*.arrayrecord", "", "deep/er.jsonl"):
        with pytest.raises(FileNotFoundError, match=r"no such file; .* holds train\.jsonl"):
            records.read(tmp_path / wanted)


def test_an_unknown_format_is_refused(tmp_path):
    (tmp_path / "a.csv").write_text("question\n")
    with pytest.raises(ValueError, match=r"a\.csv: a file of records ends in \.jsonl, \.jsonl\.gz, \.arrayrecord"):
        records.read(tmp_path / "a.csv")
    with pytest.raises(ValueError, match=r"b\.txt: a file of records ends in"):
        records.write(tmp_path / "b.txt", some(1))


def test_a_write_that_fails_leaves_the_old_file_and_no_other(tmp_path):
    def failing():
        yield from some(5000)
        raise RuntimeError("no more")

    for suffix in SUFFIXES:
        path = tmp_path / f"a{suffix}"
        records.write(path, some(2))
        with pytest.raises(RuntimeError, match="no more"):
            records.write(path, failing())
        assert list(records.read(path)) == some(2)
    assert sorted(entry.name for entry in tmp_path.iterdir()) == sorted(f"a{suffix}" for suffix in SUFFIXES)


def test_a_killed_write_leaves_the_old_file(tmp_path):
    path = tmp_path / "a.jsonl"
    records.write(path, some(2))
    code = (
        "import sys\nfrom mathjax import records\n"
        "def forever():\n"
        "    while True:\n"
        "        yield records.Record(question='new')\n"
        "records.write(sys.argv[1], forever())\n"
    )
    with subprocess.Popen([sys.executable, "-c", code, str(path)]) as writer:
        while not list(tmp_path.glob(".*.tmp")):
            assert writer.poll() is None
            time.sleep(0.01)
        writer.kill()
    assert list(records.read(tmp_path / "*.jsonl")) == some(2)


def test_a_written_file_has_the_rights_of_any_other(tmp_path):
    (tmp_path / "plain").write_text("")
    records.write(tmp_path / "a.jsonl", some(1))
    assert (tmp_path / "a.jsonl").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_half_a_gzip_file_is_refused(tmp_path):
    path = tmp_path / "a.jsonl.gz"
    records.write(path, some(1000))
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(ValueError, match=r"a\.jsonl\.gz: not a whole gzip file"):
        records.read(path)


def test_gzip_of_other_programs_is_read(tmp_path):
    text = "".join(records.line(record) + "\n" for record in some(10))
    parts = gzip.compress(text[:100].encode()) + gzip.compress(text[100:].encode())
    (tmp_path / "a.jsonl.gz").write_bytes(parts)
    assert list(records.read(tmp_path / "a.jsonl.gz")) == some(10)


def test_a_file_that_changes_while_it_is_read_is_refused(tmp_path):
    records.write(tmp_path / "a.jsonl", some(10))
    found = records.read(tmp_path / "a.jsonl")
    records.write(tmp_path / "a.jsonl", some(11))
    with pytest.raises(ValueError, match=r"a\.jsonl has changed"):
        found[3]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_threads_may_share_records(tmp_path, suffix):
    records.write(tmp_path / f"a{suffix}", some(400))
    found = pickle.loads(pickle.dumps(records.read(tmp_path / f"a{suffix}")))
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(found.__getitem__, range(400))) == some(400)


def test_records_can_be_sent_to_processes(tmp_path):
    records.write(tmp_path / "a.jsonl", some(10))
    records.write(tmp_path / "b.jsonl.gz", some(10, 10))
    found = records.read(tmp_path / "*.jsonl*")
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        assert list(pool.map(found.__getitem__, range(20))) == some(20)


def test_records_sent_elsewhere_notice_other_files(tmp_path):
    records.write(tmp_path / "a.jsonl", some(10))
    sent = pickle.dumps(records.read(tmp_path / "a.jsonl"))
    records.write(tmp_path / "a.jsonl", some(9))
    with pytest.raises(ValueError, match=r"a\.jsonl has changed"):
        pickle.loads(sent)[0]


def test_an_index_beyond_the_end_is_refused(tmp_path):
    records.write(tmp_path / "a.jsonl", some(3))
    for index in (3, -4):
        with pytest.raises(IndexError, match=f"record {index} of <3 records of"):
            records.read(tmp_path / "a.jsonl")[index]


def test_no_file_is_held_open(tmp_path):
    for i in range(20):
        records.write(tmp_path / f"{i:02}.jsonl", some(3))
    before = len(os.listdir("/proc/self/fd"))
    found = records.read(tmp_path / "*.jsonl")
    assert [found[i].question for i in (0, 59)] == ["0+1=", "2+1="]
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_digest_is_the_sha256_of_the_file(tmp_path):
    records.write(tmp_path / "a.jsonl", some(3))
    assert records.digest(tmp_path / "a.jsonl") == hashlib.sha256((tmp_path / "a.jsonl").read_bytes()).hexdigest()


def test_a_digest_changes_with_any_file_of_a_glob(tmp_path):
    for name in "ab":
        records.write(tmp_path / f"{name}.jsonl", some(3))
    before = records.digest(tmp_path / "*.jsonl")
    assert before == records.digest(tmp_path / "*.jsonl")
    records.write(tmp_path / "b.jsonl", some(3, 1))
    assert before != records.digest(tmp_path / "*.jsonl")


def test_two_threads_can_write_one_file(tmp_path):
    threads = [threading.Thread(target=records.write, args=(tmp_path / "a.jsonl", some(2000))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert list(records.read(tmp_path / "a.jsonl")) == some(2000)


def test_a_million_lines_are_found_in_a_second(tmp_path):
    (tmp_path / "a.jsonl").write_bytes(b'{"question": "12345+54321=", "solution": "66666"}\n' * 1_000_000)
    begun = time.process_time()
    assert len(records.read(tmp_path / "a.jsonl")) == 1_000_000
    assert time.process_time() - begun < 1


def test_gsm8k_is_read(public_data):
    found = records.read(public_data / "gsm8k" / "train.jsonl")
    rows = [json.loads(row) for row in (public_data / "gsm8k" / "train.jsonl").read_text("utf-8").splitlines()]
    assert [{"question": r.question, "answer": r.answer} for r in found] == rows
