"""Several real processes as one run: equal losses, one writer, and the end of one is the end of all."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time

import pytest
from test_loop import SCRIPTS, recipe, rows, steps_on_disk, when, write_corpus

from mathjax import distributed
from mathjax.checkpoint import FOLDER


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    return write_corpus(tmp_path_factory.mktemp("corpus"))


SETTINGS = ["--config.model.layers=1", "--config.log_every=1", "--config.heldout=none", "--config.mesh.data=-1"]


def start(config_path, workdir, count, *settings):
    """The processes of a run, as a user would start them on their hosts; each writes into a file of its own."""
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = free.getsockname()[1]
    environment = os.environ | {"JAX_PLATFORMS": "cpu", "JAX_NUM_CPU_DEVICES": "1", "PYTHONUNBUFFERED": "1"}
    environment["PJRT_NPROC"] = "1"  # threads: the processes share few cores here
    environment["XDG_CACHE_HOME"] = str(config_path.parent)  # of compiled programs
    command = [sys.executable, SCRIPTS / "train.py", f"--config={config_path}", f"--workdir={workdir}", *settings]
    if count > 1:
        command += [f"--coordinator=localhost:{port}", f"--processes={count}"]
    running = []
    for process in range(count):
        output = open(workdir.parent / f"{workdir.name}-{count}-{process}.txt", "w+")
        more = [f"--process={process}"] if count > 1 else []
        told = {"stdout": output, "stderr": subprocess.STDOUT}
        running.append(subprocess.Popen([*command, *more], env=environment, **told))
        running[-1].said = output
    return running


def finish(running, seconds=200):
    """(exit status, output) of each process."""
    end, found = time.monotonic() + seconds, []
    try:
        for process in running:
            process.wait(max(1, end - time.monotonic()))
    finally:
        for process in running:
            process.kill()
            process.said.seek(0)
            found.append((process.poll(), process.said.read()))
            process.said.close()
    return found


def losses(workdir):
    return {row["step"]: row["loss"] for row in rows(workdir)}


@pytest.mark.timeout(400)
def test_four_then_two_then_one_process_end_with_the_losses_of_one_and_the_death_of_one_stops_all(corpus, tmp_path):
    workdir = tmp_path / "run"
    path, settings = recipe(corpus, tmp_path, steps=24, save_every=8), SETTINGS
    alone = start(path, tmp_path / "alone", 1, *settings)

    four = start(path, workdir, 4, *settings, "--config.mesh.fsdp=2")
    when(lambda: max(steps_on_disk(workdir), default=0) >= 8, four[0])
    four[2].send_signal(signal.SIGKILL)
    killed = time.monotonic()
    ends = finish(four)
    assert time.monotonic() - killed < 60
    assert [status for status, _ in ends] == [1, 1, -signal.SIGKILL, 1], ends
    for _, said in (ends[0], ends[1], ends[3]):
        assert re.search(rf"stopped: process 2 \(.*, pid {four[2].pid}\) gave no sign of life for \d+ s; ", said), said
    written = workdir / FOLDER / str(max(steps_on_disk(workdir))) / "params"
    assert {f"ocdbt.process_{process}" for process in range(4)} <= {path.name for path in written.iterdir()}
    assert all("compiled the step" not in said and "loss" not in said for _, said in ends[1:]), ends
    assert json.loads((workdir / "recipe.json").read_text())["mesh"]["fsdp"] == 2

    two = start(path, workdir, 2, *settings, "--config.mesh.tensor=2")
    when(lambda: max(steps_on_disk(workdir), default=0) >= 16, two[0])
    two[1].send_signal(signal.SIGTERM)
    ends = finish(two)
    assert [status for status, _ in ends] == [0, 0], ends
    saved = max(steps_on_disk(workdir))
    assert f"saved step {saved} of 24" in ends[0][1] or saved == 24

    [(status, said)] = finish(start(path, workdir, 1, *settings))
    assert status == 0, said
    [(status, said)] = finish(alone)
    assert status == 0, said
    expected, found = losses(tmp_path / "alone"), losses(workdir)
    assert list(found) == list(expected) == list(range(1, 25))
    assert found == pytest.approx(expected, abs=1e-5)


@pytest.mark.timeout(200)
def test_an_error_in_one_process_is_told_by_the_others(corpus, tmp_path):
    """A process that finds other settings than its neighbours ends, and they do not wait for it."""
    workdir = tmp_path / "run"
    running = start(recipe(corpus, tmp_path, steps=100_000), workdir, 2, *SETTINGS)
    when(lambda: (workdir / "metrics.jsonl").exists() and rows(workdir), running[0])
    running[1].send_signal(signal.SIGINT)
    ends = finish(running, 60)
    assert [status for status, _ in ends] == [1, 1], ends
    assert re.search(r"stopped: process 1 \(.*\) ended: KeyboardInterrupt", ends[0][1]), ends[0][1]


@pytest.mark.parametrize(
    ("given", "environment", "message"),
    [
        (("localhost:1", 2, -1), {}, "belong together; got --coordinator=localhost:1, --processes=2, --process=not"),
        (("", 2, 1), {}, "belong together"),
        (("localhost:1", 2, 2), {}, "counted from 0, below their number"),
        (("localhost", 2, 1), {}, "HOST:PORT"),
        (("", 0, -1), {"JAX_NUM_PROCESSES": "two"}, "--processes=two"),
        (("", 0, -1), {"JAX_NUM_PROCESSES": "2", "JAX_PROCESS_ID": "3"}, "--process=3"),
    ],
)
def test_numbers_of_processes_that_do_not_fit_are_an_error_at_once(given, environment, message, monkeypatch):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ValueError, match=message), distributed.joined(*given):
        pass


def test_a_process_outside_of_any_cluster_is_alone():
    with distributed.joined():
        assert distributed.first() and distributed.told(7) == 7
