"""Filtering and choosing of RFT's size: 100 samples of each question of GSM8K's training set, 747,300 in all.

    python scripts/bench/rejection.py [--samples=100] [--workers=2] [--kill]

The samples are made from the real solutions: words left out, operands swapped, steps worked out at once, wrong results,
lost answers. Told are seconds, samples a second, and the most memory that the processes held together. With --kill
the run is killed at a random moment, again and again, and has to end with the same bytes.
"""

import hashlib
import json
import os
import pathlib
import random
import re
import signal
import subprocess
import sys
import tempfile
import time

from absl import app, flags

from data_gen.rejection import job
from data_gen.sources import job as public
from mathjax import config, records

_SAMPLES = flags.DEFINE_integer("samples", 100, "of each question", lower_bound=1)
_QUESTIONS = flags.DEFINE_integer("questions", 7_473, "the first so many", lower_bound=1)
_WORKERS = flags.DEFINE_integer("workers", 2, "processes", lower_bound=1)
_KILL = flags.DEFINE_bool("kill", False, "kill the run again and again")
_ALONE = flags.DEFINE_multi_string("alone", [], "internal: recipe and folder of a run")

DATA = pathlib.Path(os.environ.get("MATHJAX_DATA", pathlib.Path(__file__).parents[3] / "shared" / "data"))
_STEP = re.compile(r"<<([0-9.]+)([+*])([0-9.]+)=([0-9.]+)>>")


def main(_):
    if _ALONE.value:
        recipe, folder = _ALONE.value
        job.run(
            config.from_dict(config.Rejection, json.loads(pathlib.Path(recipe).read_text())), folder, _WORKERS.value
        )
        return
    with tempfile.TemporaryDirectory() as folder:
        measure(pathlib.Path(folder))


def measure(folder):
    """Make the samples, and say what a run over them takes."""
    questions = list(public.read("gsm8k", DATA / "gsm8k" / "train.jsonl"))[: _QUESTIONS.value]
    records.write(folder / "questions.jsonl", questions)
    with open(folder / "samples.jsonl", "w") as file:
        for i, question in enumerate(questions):
            chance = random.Random(i)
            for j in range(_SAMPLES.value):
                row = {"index": i, "sample": j, "question": question.question, "verdict": {"correct": False}}
                file.write(json.dumps(row | {"completion": sampled(question.solution, chance)}) + "\n")
    total = len(questions) * _SAMPLES.value
    recipe = config.Rejection(
        questions=str(folder / "questions.jsonl"),
        samples=[config.Samples(name="made", path=str(folder / "samples.jsonl"))],
        sampling=config.Sampling(samples=_SAMPLES.value),
        shards=32,
    )
    (folder / "recipe.json").write_text(config.to_json(recipe))
    print(f"{total:,} samples, {(folder / 'samples.jsonl').stat().st_size / 1e6:,.0f} MB", flush=True)
    begun, most = time.perf_counter(), 0
    running = _start(folder, "whole")
    while running.poll() is None:
        most = max(most, _memory(running.pid))
        time.sleep(0.1)
    seconds = time.perf_counter() - begun
    print(running.stdout.read())
    speed = f"{total / seconds:,.0f} samples/s on {_WORKERS.value} processes"
    print(f"{seconds:,.1f} s, {speed}, {most / 1e6:,.0f} MB at most")
    if _KILL.value:
        kills, chance = 0, random.Random()
        while True:
            running = _start(folder, "killed")
            try:
                running.wait(chance.uniform(0.2, 0.4) * seconds)
                break
            except subprocess.TimeoutExpired:
                os.kill(running.pid, signal.SIGKILL)
                running.wait()
                kills += 1
        same = _digest(folder / "whole") == _digest(folder / "killed")
        print(f"killed {kills} times and started again: {'the same bytes' if same else 'OTHER BYTES'}")


def sampled(solution, chance):
    """A solution as a model may write it: often the same path, sometimes another or a wrong one."""
    text, _, answer = solution.rpartition("#### ")
    words = text.split(" ")
    for _ in range(chance.randrange(4)):  # said in other words
        place = chance.randrange(len(words))
        if "<<" not in words[place] and "\n" not in words[place]:
            words[place] = chance.choice(["", "so", "then", words[place].upper()])
    text = " ".join(words)
    if chance.random() < 0.4:  # operands swapped here and there: another path
        text = _STEP.sub(lambda step: _swapped(step, chance), text)
    drawn = chance.random()
    if drawn < 0.25:
        answer = str(chance.randrange(1000))
    elif drawn < 0.35:
        text = re.sub(r"=([0-9.]+)>>", lambda found: f"={found[1]}1>>", text, count=1)
    elif drawn < 0.4:
        return text
    return f"{text}#### {answer}"


def _swapped(step, chance):
    a, sign, b, value = step.groups()
    return f"<<{b}{sign}{a}={value}>>" if chance.random() < 0.5 else step[0]


def _start(folder, name):
    command = [sys.executable, __file__, f"--alone={folder / 'recipe.json'}", f"--alone={folder / name}"]
    command.append(f"--workers={_WORKERS.value}")
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)


def _memory(process):
    """Bytes that a process and its children hold, each page once (PSS)."""
    found = 0
    for child in [process, *map(int, _read(f"/proc/{process}/task/{process}/children").split())]:
        match = re.search(r"^Pss: +([0-9]+) kB", _read(f"/proc/{child}/smaps_rollup"), re.MULTILINE)
        found += int(match[1]) * 1024 if match else 0
    return found


def _read(path):
    try:
        return pathlib.Path(path).read_text()
    except OSError:
        return ""


def _digest(folder):
    total = hashlib.sha256()
    for path in sorted([*folder.glob("train-*"), folder / job.REPORT]):
        total.update(path.read_bytes())
    return total.hexdigest()


if __name__ == "__main__":
    app.run(main)
