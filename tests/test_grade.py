"""The door that grades files."""

import json
import pathlib
import subprocess
import sys

import pytest

from mathjax.verify import Verifier, grade

ROOT = pathlib.Path(__file__).parents[1]
ROWS = [
    {"answer": "18", "completion": "so \\boxed{18}", "source": "words", "id": 7},
    {"answer": 3.5, "completion": "def solution():\n    return 7/2", "source": "programs", "style": "pot"},
    {"answer": "4", "completion": "5", "source": "words"},
    {"answer": "4", "completion": "", "source": "words"},
]


def written(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def door(*arguments):
    command = [sys.executable, "scripts/grade.py", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)


def test_the_door_writes_a_verdict_a_line_and_prints_a_table(tmp_path):
    done = door(f"--input={written(tmp_path / 'in.jsonl', ROWS)}", f"--output={tmp_path / 'out.jsonl'}")
    assert done.returncode == 0, done.stderr
    lines = [json.loads(text) for text in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert [line["correct"] for line in lines] == [True, True, False, False]
    assert [line["why"] for line in lines] == ["correct", "correct", "wrong_value", "no_answer"]
    assert lines[0]["id"] == 7 and lines[0]["answer"] == "18" and lines[1]["answer"] == "3.5"
    assert all(line["seconds"] >= 0 for line in lines)
    assert "programs" in done.stdout and "50.0%" in done.stdout
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.jsonl", "out.jsonl"]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", "line 2: "),
        ('{"answer": "4"}', "line 2: wanted answer and completion, no completion among answer"),
        ('{"answer": "4", "completion": 4}', "line 2: wanted answer and completion as text"),
        ('{"answer": "4", "completion": "4", "style": "prose"}', "line 2: no verifier for style 'prose'"),
    ],
)
def test_a_broken_line_is_named_before_anything_is_judged(tmp_path, line, message):
    path = tmp_path / "in.jsonl"
    path.write_text(json.dumps(ROWS[0]) + "\n" + line + "\n")
    done = door(f"--input={path}", f"--output={tmp_path / 'out.jsonl'}")
    assert done.returncode == 2 and f"{path}, {message}" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["in.jsonl"]


def test_a_missing_file_is_named(tmp_path):
    done = door(f"--input={tmp_path / 'none.jsonl'}", f"--output={tmp_path / 'out.jsonl'}")
    assert done.returncode == 2 and "none.jsonl" in done.stderr


class _Stopped(Exception):
    pass


def test_an_interrupted_run_goes_on_and_ends_with_the_same_verdicts(tmp_path):
    rows = [{"answer": str(number), "completion": str(number - number % 2)} for number in range(400)]
    path = written(tmp_path / "in.jsonl", rows)
    with Verifier(1) as judge:
        whole = grade.run([path], tmp_path / "whole.jsonl", judge)

        class Stopping:
            protocol, judged = judge.protocol, 0

            def stream(self, cases):
                for number, verdict in enumerate(judge.stream(cases)):
                    if number == 150:
                        raise _Stopped
                    yield verdict

        with pytest.raises(_Stopped):
            grade.run([path], tmp_path / "out.jsonl", Stopping())
        torn = tmp_path / "out.jsonl.partial"
        assert 0 < torn.read_bytes().count(b"\n") <= 150
        torn.write_bytes(torn.read_bytes()[:-3])
        assert grade.run([path], tmp_path / "out.jsonl", judge) == whole
    lines = [(tmp_path / name).read_text().splitlines() for name in ("out.jsonl", "whole.jsonl")]
    again, once = ([json.loads(text) | {"seconds": 0} for text in found] for found in lines)
    assert again == once
    assert not list(tmp_path.glob("*.partial*"))
