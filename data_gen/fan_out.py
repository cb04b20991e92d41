"""Shards of work on this machine's processes or a Ray cluster: done once each, whole or not at all, and listed.

What makes a shard is a function from its place in the work to a file, and to facts about it; nothing else about the
work is known here. Shares of the work, as the jobs of a Slurm array take them, have manifests of their own; whoever
comes last, or the same job without a share, finds all files there and lists them.
"""

import concurrent.futures
import functools
import json
import multiprocessing
import os
import pathlib
import re
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures.process import BrokenProcessPool
from typing import Any

from data_gen import ray_cluster
from mathjax import config, files, metrics

MANIFEST = "manifest.json"
SHARES = "manifest-*-of-*.json"
FREE = ("on", "share", "mesh", "slots")  # settings of a job that say where it is done, and change nothing about it
TRIES = 2  # of a shard whose process was killed


def run(
    make: Callable[[Any], dict],
    shards: Sequence[tuple[str, Any]],
    workdir,
    *,
    recipe,
    total: int,
    unit: str = "rows",
    workers: int | None = None,
) -> dict:
    """Make each shard that `workdir` lacks and give back the manifest.

    `shards` are names of files in `workdir`, and what `make` is called with for each, in another process: both must
    be picklable. `make` writes the file, whole or not at all, and gives back facts for the manifest: `rows`, and any
    others; `done`, or else the rows, is counted up to `total`. `recipe` is a config; for a folder made with another
    one, ValueError names the settings that differ. Its `on` is where they are made, `local` or `ray`; its `share`, as
    `2/16`, lets this be one of several jobs, each of which makes every 16th shard from its own on.

    An error in `make` stops the run and names the shard; a shard whose process was killed is made once more, then it is
    a ChildProcessError. What is in the manifest by then stays done.
    """
    workdir = pathlib.Path(workdir)
    first, every = share(getattr(recipe, "share", ""))
    path, manifest = opened(workdir, recipe)
    places = dict(list(shards)[first::every])
    found = manifest["files"]
    for other in sorted(workdir.glob(SHARES)):
        found |= {name: facts for name, facts in _opened(other, recipe)["files"].items() if name not in found}
    done = {name: found[name] for name in places if name in found and _is_there(workdir / name, found[name])}
    missing = [name for name in places if name not in done]
    manifest["files"] = {name: done[name] for name in places if name in done}
    _write(path, manifest)
    workers = max(1, min(workers or _cores(), len(missing)))
    rows, began = sum(facts["rows"] for facts in done.values()), time.monotonic()
    total = round(total * len(places) / max(1, len(shards)))
    with metrics.progress(total, workdir.name, unit, initial=sum(map(_count, done.values()))) as bar:
        lacking = {name: places[name] for name in missing}
        if getattr(recipe, "on", "local") == "ray" and lacking:
            made = ray_cluster.made(functools.partial(_make, make), lacking, workdir)
        else:
            made = _made(make, lacking, workdir, workers)
        for name, facts in made:
            done[name] = facts
            bar.update(_count(facts))
            seconds = time.monotonic() - began
            manifest["files"] = {name: done[name] for name in places if name in done}
            manifest["last_run"] = {
                "workers": workers,
                "seconds": round(seconds, 3),
                "rows_per_second": round((sum(facts["rows"] for facts in done.values()) - rows) / seconds),
            }
            _write(path, manifest)
    for name in places:  # what makers left behind that were killed
        for rest in workdir.glob(f".{name}.*.tmp"):
            rest.unlink(missing_ok=True)
    return manifest


def opened(workdir, recipe) -> tuple[pathlib.Path, dict]:
    """(where it is, the manifest) of a folder, a new one where there is none; ValueError for one of another recipe."""
    workdir = pathlib.Path(workdir)
    workdir.mkdir(parents=True, exist_ok=True)
    first, every = share(getattr(recipe, "share", ""))
    path = workdir / (MANIFEST if every == 1 else f"manifest-{first:05}-of-{every:05}.json")
    return path, _opened(path, recipe)


def share(text: str) -> tuple[int, int]:
    """(first, every) of a share of the work, `2/16`; all of it for "". ValueError for what is no share."""
    if not text:
        return 0, 1
    match = re.fullmatch(r"([0-9]+)/([0-9]+)", text)
    if not match or not int(match[1]) < int(match[2]):
        raise ValueError(f"config.share must be i/n with i from 0 below n, got {text!r}")
    return int(match[1]), int(match[2])


def _count(facts):
    return facts.get("done", facts["rows"])


def _made(make, places, workdir, workers):
    """(name, facts) of each shard when it is done: the one function that knows how the work is spread."""
    waiting, tries = list(reversed(places)), Counter()
    while waiting:
        running = {}
        spawn = multiprocessing.get_context("spawn")
        pool = concurrent.futures.ProcessPoolExecutor(workers, spawn, initializer=_begin, initargs=(os.getpid(),))
        try:
            while waiting or running:
                while waiting and len(running) < workers:
                    name = waiting[-1]
                    future = pool.submit(_make, make, places[name], workdir / name)  # may fail: then it still waits
                    running[future] = waiting.pop()
                for future in concurrent.futures.wait(running, return_when=concurrent.futures.FIRST_COMPLETED).done:
                    facts = _result(future, workdir / running[future])
                    yield running.pop(future), facts
        except BrokenProcessPool:
            lost = list(running.values())
            tries.update(lost)
            if max(tries.values(), default=TRIES) >= TRIES:
                names = ", ".join(str(workdir / name) for name in lost)
                raise ChildProcessError(
                    f"a process was killed {TRIES} times while it made one of {names}; is there memory for "
                    f"{workers} at a time?"
                ) from None
            waiting += reversed(lost)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _result(future, path):
    try:
        return future.result()
    except BrokenProcessPool:
        raise
    except (ValueError, OSError) as error:
        raise ValueError(f"{path}: {error}") from error
    except Exception as error:
        raise RuntimeError(f"{path}: {type(error).__name__}: {error}") from error


def _make(make, place, path):
    """What a process does for one shard."""
    began = time.monotonic()
    facts = make(place)
    seconds = round(time.monotonic() - began, 3)
    return {**facts, "bytes": path.stat().st_size, "sha256": files.digest(path), "seconds": seconds}


def _begin(parent):
    """Prepare a process: it ends with its parent, and at an interrupt without a word."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def _end_with(parent):
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)


def _opened(path, recipe):
    """The manifest at `path`, a new one where there is none."""
    settings = json.loads(config.to_json(recipe))
    if not path.exists():
        manifest = {"recipe": settings, "files": {}}
        _write(path, manifest)
        return manifest
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
        there, _ = dict(_flat(manifest["recipe"])), manifest["files"]
    except (ValueError, TypeError, KeyError) as error:
        raise ValueError(f"{path}: not a manifest of shards: {error!r}") from None
    here = dict(_flat(settings))
    differing = [
        f"{name} is {there.get(name, 'not set')} there, {here.get(name, 'not set')} now"
        for name in sorted(there.keys() | here.keys())
        if there.get(name) != here.get(name) and name.split(".")[1] not in FREE
    ]
    if differing:
        raise ValueError(f"{path.parent} holds files of another recipe: {'; '.join(differing)}")
    return manifest


def _flat(settings, path="config"):
    """(name, value) of each single setting."""
    if isinstance(settings, dict):
        for name, value in settings.items():
            yield from _flat(value, f"{path}.{name}")
    elif isinstance(settings, list) and any(isinstance(value, dict) for value in settings):
        for i, value in enumerate(settings):
            yield from _flat(value, f"{path}[{i}]")
    else:
        yield path, json.dumps(settings)


def _is_there(path, facts):
    return path.is_file() and path.stat().st_size == facts["bytes"]


def _write(path, manifest):
    with files.whole(path) as file:
        file.write(json.dumps(manifest, indent=2).encode() + b"\n")


def _cores():
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
