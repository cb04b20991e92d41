"""Two runs held against each other."""

import json
import pathlib
import subprocess
import sys

import pytest

from mathjax.evaluate import compare, statistics

SCRIPTS = pathlib.Path(__file__).parents[1] / "scripts"


def stored(folder, outcomes, name="exam", first=0, rule="strict"):
    """A run whose attempts at question i are right as `outcomes[i]` says: a truth value, or several."""
    (folder / "judged").mkdir(parents=True, exist_ok=True)
    lines = []
    for i, given in enumerate(outcomes, start=first):
        for sample, right in enumerate(given if isinstance(given, list) else [given]):
            verdicts = {rule: {"answer": "1", "correct": bool(right), "why": "correct" if right else "wrong_value"}}
            told = {"question": f"{i}?", "truth": "1", "completion": "1", "style": "cot", "verdicts": verdicts}
            lines.append(json.dumps({"index": i - first, "sample": sample} | told))
    (folder / "judged" / f"{name}.jsonl").write_text("\n".join(lines) + "\n")
    return folder


def test_questions_are_counted_by_who_got_them_right(tmp_path):
    first = stored(tmp_path / "a", [1] * 50 + [1] * 20 + [0] * 5 + [0] * 25)
    second = stored(tmp_path / "b", [1] * 50 + [0] * 20 + [1] * 5 + [0] * 25)
    found = compare.run(first, second)["benchmarks"]["exam"]
    assert [found[name] for name in ("both", "only_first", "only_second", "neither")] == [50, 20, 5, 25]
    assert (found["first"], found["second"], found["difference"]) == (0.7, 0.55, pytest.approx(0.15))
    assert found["p"] == statistics.mcnemar(20, 5)
    assert found["interval"] == list(statistics.paired_difference(50, 20, 5, 25))
    assert found["questions_needed"] == statistics.questions_needed(0.2, 0.05)


def test_only_shared_questions_count_whatever_their_order(tmp_path):
    first = stored(tmp_path / "a", [1, 0, 1, 1])
    second = stored(tmp_path / "b", [1, 1, 0], first=2)  # questions 2, 3 and 4
    found = compare.run(first, second)["benchmarks"]["exam"]
    assert (found["n"], found["both"]) == (2, 2)


def test_several_attempts_are_compared_by_their_share(tmp_path):
    first = stored(tmp_path / "a", [[1, 0], [1, 1], [0, 0]])
    second = stored(tmp_path / "b", [[1, 1], [1, 1], [0, 1]])
    found = compare.run(first, second)["benchmarks"]["exam"]
    assert found["difference"] == pytest.approx(0.5 - 5 / 6)
    assert found["p"] is None
    assert found["interval"] == list(statistics.bootstrap([-0.5, 0.0, -0.5]))


def test_runs_that_were_judged_differently_are_told(tmp_path, capsys):
    compare.run(stored(tmp_path / "a", [1, 0]), stored(tmp_path / "b", [1, 1], rule="rft"))
    assert "exam: judged by strict in the first, by rft in the second" in capsys.readouterr().out


def test_runs_without_a_shared_question_and_folders_without_a_run_are_errors(tmp_path):
    first, second = stored(tmp_path / "a", [1]), stored(tmp_path / "b", [1], first=9)
    with pytest.raises(ValueError, match=r"share no question of a benchmark: exam \(1\); exam \(1\)"):
        compare.run(first, second)
    with pytest.raises(FileNotFoundError, match=r"none: wanted the folder of an evaluation"):
        compare.run(first, tmp_path / "none")


def test_the_door_compares_and_writes_a_page(tmp_path):
    first, second = stored(tmp_path / "a", [1, 0, 1]), stored(tmp_path / "b", [1, 1, 0])
    command = [sys.executable, str(SCRIPTS / "evaluate.py"), "--compare"]
    done = subprocess.run([*command, first, second, "--workdir", tmp_path / "c"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "exam          3  66.7%   66.7%" in done.stdout
    assert json.loads((tmp_path / "c" / "compare.json").read_text())["benchmarks"]["exam"]["n"] == 3
    assert "Two runs compared" in (tmp_path / "c" / "compare.html").read_text()
    done = subprocess.run([*command, first, tmp_path / "none"], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (1, "")
    assert "evaluate.py: " in done.stderr and "Traceback" not in done.stderr
