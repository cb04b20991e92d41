"""Files of many small pieces, which are read by number and written whole or not at all.

Three formats, told apart by suffix: `.jsonl`, a piece a line; `.jsonl.gz`, the same, compressed; `.arrayrecord`, which
is grain's own and the one to use on cloud storage (paths like `gs://..` go to it as they are).
"""

import codecs
import contextlib
import glob
import gzip
import hashlib
import itertools
import os
import pathlib
import shutil
import tempfile
import threading
import weakref
import zlib
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

import numpy as np

BLOCK = 1 << 22  # bytes read at a time
CHUNK = 1024  # pieces read or written at a time


def find(path) -> list[str]:
    """The file, or the files that a glob matches, in the order of their names.

    FileNotFoundError says what there is instead; ValueError, that one of them has no suffix of a known format.
    """
    path = os.fspath(path)
    if "://" in path and glob.has_magic(path):
        raise ValueError(f"{path}: a glob needs a local path; mount the bucket, or name its files one by one")
    if "://" in path or os.path.isfile(path):
        found = [path]
    else:
        found = sorted(name for name in glob.glob(path, recursive=True) if os.path.isfile(name))
    if not found:
        raise FileNotFoundError(f"{path}: no such file; {_there(path)}")
    for name in found:
        _format(name)
    return found


def read(path: str):
    """The pieces of a file: an object with a length and `raw(start, stop) -> list[bytes]`, for many threads at once."""
    return _format(path)[0](path)


def lines(path: str) -> "_Lines":
    """The lines of a text file of any name, by number, as `read` gives those of a file of records."""
    return _Lines(path)


def write(path, pieces: Iterable[bytes]) -> int:
    """Write a file in the format of its suffix, whole or not at all; returns the number of pieces.

    The same pieces give the same bytes. A piece of a file of lines must not hold the end of a line.
    """
    return _format(path)[1](os.fspath(path), pieces)


def digest(path) -> str:
    """Names the content of what `find` finds: sha256 of one file, or of the list of the digests of several."""
    paths = find(path)
    with ThreadPoolExecutor(min(len(paths), os.cpu_count() or 1)) as pool:
        found = list(pool.map(_digest, paths))
    return found[0] if len(found) == 1 else hashlib.sha256("\n".join(found).encode()).hexdigest()


@contextlib.contextmanager
def whole(path):
    """A binary file to write to, which takes the place of `path` when the block ends, and vanishes if it fails."""
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}-{threading.get_ident()}.tmp")
    try:
        with temporary.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


class _Lines:
    """The lines of a file, by number. It is opened for each reading; of a packed one, an unpacked copy stays open."""

    def __init__(self, path):
        self.path = path
        self.copy = _unpack(path) if path.endswith(".gz") else None
        if self.copy:
            weakref.finalize(self, self.copy.close)
        with self._open() as file:
            self.stamp = _stamp(file)
            self.starts = _line_starts(file)

    def __len__(self):
        return len(self.starts) - 1

    def raw(self, start, stop):
        with self._open() as file:
            if _stamp(file) != self.stamp:
                raise ValueError(f"{self.path} has changed since its lines were counted")
            data = _read_at(file, self.starts[start], self.starts[stop])
        return data.removesuffix(b"\n").split(b"\n")

    def _open(self):
        return contextlib.nullcontext(self.copy) if self.copy else open(self.path, "rb", buffering=0)


class _ArrayRecord:
    """The records of an ArrayRecord file, by number."""

    def __init__(self, path):
        options = "readahead_buffer_size:0,max_parallelism:0"  # for random access
        self.reader = _array_record(path).ArrayRecordReader(path, options)

    def __len__(self):
        return self.reader.num_records()

    def raw(self, start, stop):
        return self.reader.read(start, stop)


def _write_plain(path, lines):
    with whole(path) as file:
        return _put(file, lines)


def _write_packed(path, lines):
    with whole(path) as file, gzip.GzipFile("", "wb", fileobj=file, mtime=0) as packed:
        return _put(packed, lines)


def _write_array_record(path, lines):
    with contextlib.nullcontext() if "://" in path else whole(path) as file:
        writer = _array_record(path).ArrayRecordWriter(file.name if file else path, "group_size:1")
        count = sum(writer.write(data) or 1 for data in lines)
        writer.close()
    return count


def _put(file, lines):
    count, lines = 0, iter(lines)
    while some := list(itertools.islice(lines, CHUNK)):
        file.write(b"\n".join([*some, b""]))
        count += len(some)
    return count


FORMATS = {  # suffix: (reader, writer)
    ".jsonl": (_Lines, _write_plain),
    ".jsonl.gz": (_Lines, _write_packed),
    ".arrayrecord": (_ArrayRecord, _write_array_record),
}


def _format(path):
    for suffix, how in FORMATS.items():
        if os.fspath(path).endswith(suffix):
            return how
    raise ValueError(f"{path}: a file of records ends in {', '.join(FORMATS)}")


def _there(path):
    """What is in the nearest folder there is, for a message."""
    folder = path if os.path.isdir(path) else os.path.dirname(path)
    while folder and not os.path.isdir(folder):
        folder = os.path.dirname(folder)
    names = sorted(name for name in os.listdir(folder or ".") if not name.startswith("."))
    more = f" and {len(names) - 20} more" if len(names) > 20 else ""
    return f"{folder or 'this folder'} holds {', '.join(names[:20]) or 'nothing'}{more}"


def _line_starts(file):
    """Where each line begins, and where the last ends: int64 [lines + 1]; blank lines at the end do not count."""
    file.seek(0)
    found, at = [np.zeros(1, np.int64)], 0
    while block := file.read(BLOCK):
        if at == 0 and block.startswith(codecs.BOM_UTF8):
            found[0] += len(codecs.BOM_UTF8)
        found.append(np.flatnonzero(np.frombuffer(block, np.uint8) == ord("\n")) + (at + 1))
        at += len(block)
    starts = np.concatenate(found)
    if starts[-1] < at:
        starts = np.append(starts, at)
    while len(starts) > 1 and not _read_at(file, starts[-2], starts[-1]).strip():
        starts = starts[:-1]
    return starts


def _read_at(file, start, stop):
    """Bytes start, .., stop - 1; the place in the file that other threads and processes share is left alone."""
    parts, at = [], int(start)
    while at < stop:
        parts.append(os.pread(file.fileno(), int(stop) - at, at))
        if not parts[-1]:
            raise ValueError(f"{file.name} ends at byte {at}, {stop} were expected")
        at += len(parts[-1])
    return b"".join(parts)


def _unpack(path):
    copy = tempfile.TemporaryFile(buffering=0)
    try:
        with gzip.open(path) as packed:
            shutil.copyfileobj(packed, copy, BLOCK)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        copy.close()
        raise ValueError(f"{path}: not a whole gzip file ({error})") from None
    return copy


def _stamp(file):
    status = os.fstat(file.fileno())
    return status.st_size, status.st_mtime_ns


def _digest(path):
    if "://" in path:
        found = hashlib.sha256()
        file = _format(path)[0](path)
        for i in range(0, len(file), CHUNK):
            for data in file.raw(i, min(i + CHUNK, len(file))):
                found.update(len(data).to_bytes(8) + data)
        return found.hexdigest()
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _array_record(path):
    try:
        from array_record.python import array_record_module
    except ImportError:
        raise ModuleNotFoundError(
            f"{path}: ArrayRecord needs the package array_record, which grain brings along where it exists; "
            "pip install array_record, or use .jsonl.gz"
        ) from None
    return array_record_module
