"""Numbers over time: what is in the file, after any end of the run that wrote it."""

import io
import json
import os
import re
import struct
import subprocess
import sys

import numpy as np
import pytest

from mathjax import metrics


def rows(folder):
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]


def test_rows_hold_the_step_and_the_numbers_in_order(tmp_path):
    with metrics.Metrics(tmp_path) as log:
        log.write(1, {"loss": 2.5, "tokens": 640})
        log.write(2, {"loss": 2.25, "tokens": 650})
    assert (tmp_path / "metrics.jsonl").read_text() == (
        '{"step": 1, "loss": 2.5, "tokens": 640}\n{"step": 2, "loss": 2.25, "tokens": 650}\n'
    )


def test_a_row_can_be_read_as_soon_as_it_is_written(tmp_path):
    with metrics.Metrics(tmp_path) as log:
        log.write(1, {"loss": 2.5})
        assert rows(tmp_path) == [{"step": 1, "loss": 2.5}]


def test_scalars_of_numpy_become_numbers(tmp_path):
    with metrics.Metrics(tmp_path) as log:
        log.write(np.int64(3), {"loss": np.float32(0.5), "tokens": np.int32(7), "rate": np.array(0.25)})
    assert rows(tmp_path) == [{"step": 3, "loss": 0.5, "tokens": 7, "rate": 0.25}]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf"), np.float32("nan")])
def test_a_number_that_is_not_finite_becomes_null(tmp_path, value):
    with metrics.Metrics(tmp_path) as log:
        log.write(1, {"loss": value})
    assert rows(tmp_path) == [{"step": 1, "loss": None}]


@pytest.mark.parametrize("value", ["half", None, [1.0, 2.0], np.zeros(2)])
def test_what_is_no_number_is_refused_by_its_name(tmp_path, value):
    with metrics.Metrics(tmp_path) as log, pytest.raises(TypeError, match="'loss' must be a number"):
        log.write(1, {"loss": value})


def test_no_metric_may_be_called_step(tmp_path):
    with metrics.Metrics(tmp_path) as log, pytest.raises(ValueError, match="'step'"):
        log.write(1, {"step": 1})


def test_a_new_run_starts_an_empty_file(tmp_path):
    with metrics.Metrics(tmp_path) as log:
        log.write(10, {"loss": 1.0})
    with metrics.Metrics(tmp_path):
        assert rows(tmp_path) == []


def test_a_resumed_run_drops_the_rows_of_later_steps(tmp_path):
    with metrics.Metrics(tmp_path) as log:
        for step in (10, 20, 30):
            log.write(step, {"loss": step / 10})
    with metrics.Metrics(tmp_path, resume=20) as log:
        log.write(30, {"loss": 0.5})
    assert rows(tmp_path) == [{"step": 10, "loss": 1.0}, {"step": 20, "loss": 2.0}, {"step": 30, "loss": 0.5}]


@pytest.mark.parametrize("size", range(1, len('{"step": 2, "loss": 1.5}')))
def test_a_last_row_torn_anywhere_is_dropped(tmp_path, size):
    torn = '{"step": 2, "loss": 1.5}'[:size]
    (tmp_path / "metrics.jsonl").write_text('{"step": 1, "loss": 2.5}\n' + torn)
    assert metrics.read(tmp_path) == [{"step": 1, "loss": 2.5}]
    with metrics.Metrics(tmp_path, resume=2) as log:
        log.write(2, {"loss": 0.5})
    assert rows(tmp_path) == [{"step": 1, "loss": 2.5}, {"step": 2, "loss": 0.5}]


def test_a_last_row_that_lacks_only_its_newline_is_kept(tmp_path):
    (tmp_path / "metrics.jsonl").write_text('{"step": 1, "loss": 2.5}')
    with metrics.Metrics(tmp_path, resume=1) as log:
        log.write(2, {"loss": 0.5})
    assert rows(tmp_path) == [{"step": 1, "loss": 2.5}, {"step": 2, "loss": 0.5}]


@pytest.mark.parametrize("broken", ["{", "7", '{"loss": 1}', ""])
def test_a_broken_row_before_the_last_names_file_and_line(tmp_path, broken):
    (tmp_path / "metrics.jsonl").write_text(f'{{"step": 1}}\n{broken}\n{{"step": 3}}\n')
    with pytest.raises(ValueError, match=r"metrics\.jsonl, line 2: a row of metrics has a step"):
        metrics.Metrics(tmp_path, resume=3)


def test_a_folder_without_metrics_has_no_rows(tmp_path):
    assert metrics.read(tmp_path) == []


def events(folder):
    """(step, value) of the scalars in TensorBoard's files: records of length, checksum, event, checksum."""
    from tensorboardX.proto import event_pb2

    for path in sorted(folder.glob("events.*")):
        stream = io.BytesIO(path.read_bytes())
        while header := stream.read(12):
            event = event_pb2.Event.FromString(stream.read(struct.unpack("<Q", header[:8])[0]))
            stream.read(4)
            yield from ((event.step, value.tag, value.simple_value) for value in event.summary.value)


def test_tensorboard_has_the_finite_numbers_of_every_row(tmp_path):
    with metrics.Metrics(tmp_path, tensorboard=True) as log:
        log.write(1, {"loss": 2.5, "gradient_norm": float("nan")})
        log.write(2, {"loss": 0.5})
    assert list(events(tmp_path / "tensorboard")) == [(1, "loss", 2.5), (2, "loss", 0.5)]


def test_tensorboard_without_its_extra_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorboardX", None)
    with pytest.raises(ModuleNotFoundError, match=r"mathjax\[tensorboard\]"):
        metrics.Metrics(tmp_path, tensorboard=True)


def test_progress_in_a_log_is_whole_lines_with_rate_and_time_left(capsys):
    with metrics.progress(4, "train", "step") as bar:
        bar.mininterval = 0
        for _ in range(4):
            bar.update()
    text = capsys.readouterr().err
    assert "\r" not in text
    lines = text.splitlines()
    assert lines[0] == "train: 0/4 step, 00:00 gone, ? left, ? step/s"
    assert re.fullmatch(r"train: 4/4 step, 00:00 gone, 00:00 left, \d+\.\d\d step/s", lines[-1])


def test_a_slow_rate_is_still_units_a_second(capsys):
    with metrics.progress(4, "solve", "attempts") as bar:
        bar.start_t -= 100
        bar.update()
    assert capsys.readouterr().err.splitlines()[-1].endswith("05:00 left,  0.01 attempts/s")


def test_progress_that_stands_still_says_so_once(capsys):
    with metrics.progress(4, "train", "step", initial=4) as bar:
        bar.refresh()
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_progress_in_a_log_says_little_while_things_go_fast(capsys):
    with metrics.progress(50_000, "train", "step") as bar:
        for _ in range(50_000):
            bar.update()
    assert len(capsys.readouterr().err.splitlines()) == 2


def test_progress_counts_what_was_done_before(capsys):
    with metrics.progress(10, "train", "step", initial=9) as bar:
        bar.update()
    assert "10/10" in capsys.readouterr().err


def test_progress_on_a_terminal_is_a_bar_on_one_line(monkeypatch):
    screen = io.StringIO()
    monkeypatch.setattr(screen, "isatty", lambda: True)
    monkeypatch.setattr(sys, "stderr", screen)
    with metrics.progress(2, "train", "step") as bar:
        bar.update(2)
    assert "train: 100%" in screen.getvalue()
    assert screen.getvalue().count("\n") == 1


def test_progress_without_a_total_still_counts(capsys):
    with metrics.progress(None, "read", "line") as bar:
        bar.update(3)
    assert "read: 3 line" in capsys.readouterr().err


def test_only_the_process_that_writes_has_files(tmp_path, capsys):
    with metrics.Metrics(tmp_path / "run", True, silent=True) as log:
        log.write(1, {"loss": 1.0})
        log.back_to(0)
    with metrics.progress(3, "train", "step", silent=True) as bar:
        bar.update(3)
    assert not (tmp_path / "run").exists() and capsys.readouterr().err == ""


def test_a_run_that_is_taken_back_drops_the_rows_of_later_steps(tmp_path):
    with metrics.Metrics(tmp_path) as log:
        for step in (1, 2, 3):
            log.write(step, {"loss": 1.0})
        log.back_to(1)
        log.write(2, {"loss": 0.5})
    assert rows(tmp_path) == [{"step": 1, "loss": 1.0}, {"step": 2, "loss": 0.5}]


def test_the_seconds_of_an_earlier_run_are_known_though_its_last_rows_are_dropped(tmp_path):
    with metrics.Metrics(tmp_path) as log:
        assert log.seconds == 0
        log.write(1, {"seconds": 5.0})
        log.write(2, {"seconds": 9.0})
    with metrics.Metrics(tmp_path, resume=1) as log:
        assert log.seconds == 9.0


def test_weights_and_biases_without_its_extra_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "wandb", None)
    with pytest.raises(ModuleNotFoundError, match=r"mathjax\[wandb\]"):
        metrics.Metrics(tmp_path, wandb="project")


def test_weights_and_biases_gets_the_rows_of_one_run_also_when_it_resumes(tmp_path):
    """In a process of its own, offline: the client starts another process, and leaves files open."""
    pytest.importorskip("wandb", reason="needs Weights & Biases: pip install 'mathjax[wandb]'")
    program = (
        "import sys; from mathjax import metrics\n"
        "with metrics.Metrics(sys.argv[1], wandb='project', resume=int(sys.argv[2])) as log:\n"
        "    log.write(int(sys.argv[2]) + 1, {'loss': 0.125})\n"
    )
    for resume in "01":
        done = subprocess.run(
            [sys.executable, "-c", program, tmp_path, resume],
            env=os.environ | {"WANDB_MODE": "offline", "WANDB_SILENT": "true"},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
    name = (tmp_path / "wandb.txt").read_text().strip()
    files = list(tmp_path.glob(f"wandb/offline-run-*/run-{name}.wandb"))
    assert len(files) == 2 and all(b"0.125" in file.read_bytes() for file in files)
