"""Files of records encoded once, and kept as flat arrays under a name made of their content."""

import collections
import contextlib
import fcntl
import hashlib
import json
import os
import pathlib
import shutil
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import numpy as np

from mathjax import metrics, prompts, records
from mathjax.data import encode
from mathjax.data.encode import Encoded

PART = 1 << 15  # records encoded at a time
MANY = 1 << 20  # records from which on other processes help
ARRAYS = {"tokens": None, "offsets": np.int64, "prompts": np.int32}  # and their types; that of tokens is written down


def encoded(path: str, digest: str, tokenizer, template: str, cache_dir=None, workers: int | None = None) -> Encoded:
    """The records of a file or glob as tokens: made at the first call, with progress, and then mapped from the cache.

    What is kept is found by `digest`, the digest of the files, by the tokenizer and by the template's name and text;
    so a file that changes is encoded again. Without a cache_dir it stays in memory. `workers` processes (by default one
    for each core) share the work on large files. ValueError names the line of a record that cannot be encoded.
    """
    if cache_dir is None:
        return _joined(_parts(path, digest, tokenizer, template, workers))
    named = [encode.VERSION, digest, tokenizer.digest, template, prompts.TEMPLATES[template]]
    folder = pathlib.Path(cache_dir) / hashlib.sha256(json.dumps(named).encode()).hexdigest()[:32]
    if not folder.exists():
        with _alone(folder):
            if not folder.exists():  # while this process waited
                _write(folder, _parts(path, digest, tokenizer, template, workers))
    return _map(folder)


def _parts(path, digest, tokenizer, template, workers) -> Iterator[Encoded]:
    """The records, PART by PART, in their order; ValueError if they turn out to be none, or not those of the digest."""
    found = records.read(path)
    if not len(found):
        raise ValueError(f"{path}: no records")
    large = len(found) > PART
    with metrics.progress(len(found), f"encoding {path}", "records") if large else contextlib.nullcontext() as bar:
        for part in _in_turn(found, tokenizer, template, workers or (_cores() if len(found) >= MANY else 1)):
            yield part
            if large:
                bar.update(len(part))
    if records.digest(path) != digest:
        raise ValueError(f"{path} changed while it was encoded")


def _in_turn(found, tokenizer, template, workers):
    slices = [slice(start, min(start + PART, len(found))) for start in range(0, len(found), PART)]
    if workers == 1:
        yield from (_here(found, some, tokenizer, template) for some in slices)
        return
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:  # a fork would copy JAX's threads
        waiting = collections.deque()
        for some in slices:
            waiting.append((some, pool.submit(_there, found.raw(some.start, some.stop), tokenizer, template)))
            if len(waiting) > 2 * workers:
                yield _result(*waiting.popleft(), found, tokenizer, template)
        while waiting:
            yield _result(*waiting.popleft(), found, tokenizer, template)


def _here(found, some, tokenizer, template) -> Encoded:
    return encode.many(found[some], tokenizer, template, lambda i: found.where(some.start + i))


def _there(lines, tokenizer, template) -> Encoded:
    return encode.many([records.parse(line) for line in lines], tokenizer, template)


def _result(some, future, found, tokenizer, template):
    try:
        return future.result()
    except ValueError:
        return _here(found, some, tokenizer, template)  # once more, for an error that says where


def _joined(parts: Iterable[Encoded]) -> Encoded:
    parts = list(parts)
    begins = np.cumsum([0] + [len(part.tokens) for part in parts])
    offsets = [part.offsets[:-1] + begin for part, begin in zip(parts, begins, strict=False)]
    return Encoded(
        np.concatenate([part.tokens for part in parts]),
        np.concatenate([*offsets, begins[-1:]]),
        np.concatenate([part.prompts for part in parts]),
    )


def _write(folder, parts):
    """Write the arrays of all parts into a folder, which appears when it is whole."""
    unfinished = folder.with_name(f".{folder.name}.part")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir()
    begin, count, dtype = 0, 0, None
    with contextlib.ExitStack() as stack:
        out = {name: stack.enter_context(open(unfinished / name, "wb")) for name in ARRAYS}
        for part in parts:
            part.tokens.tofile(out["tokens"])
            (part.offsets[:-1] + begin).tofile(out["offsets"])
            part.prompts.tofile(out["prompts"])
            begin, count, dtype = begin + len(part.tokens), count + len(part), part.tokens.dtype.name
        np.array([begin], np.int64).tofile(out["offsets"])
        for file in out.values():
            file.flush()
            os.fsync(file.fileno())
    about = {"records": count, "tokens": begin, "dtype": dtype}
    (unfinished / "about.json").write_text(json.dumps(about))
    os.rename(unfinished, folder)


def _map(folder) -> Encoded:
    about = json.loads((folder / "about.json").read_text())
    sizes = {"tokens": about["tokens"], "offsets": about["records"] + 1, "prompts": about["records"]}
    types = ARRAYS | {"tokens": np.dtype(about["dtype"])}
    try:
        maps = [np.memmap(folder / name, types[name], "r", shape=sizes[name]) for name in ARRAYS]
        return Encoded(*(array.view(np.ndarray) for array in maps))  # as quick to index as any array
    except (OSError, ValueError) as error:
        raise ValueError(f"{folder} is damaged ({error}); remove it, and it is made again") from None


@contextlib.contextmanager
def _alone(folder):
    """Hold back other processes of this machine that want to make the same folder."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with open(folder.with_name(f".{folder.name}.lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # the system lets go of it when the process ends, however it ends
        yield


def _cores():
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
