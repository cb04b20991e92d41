"""Files of named arrays (safetensors): read by rows and written one array at a time, so that memory holds a few rows.

Files are read, not mapped: pages of a mapped file count as memory of the process until they are let go.
"""

import contextlib
import dataclasses
import json
import math
import os
import pathlib
import struct
from collections.abc import Callable, Iterable

import ml_dtypes
import numpy as np

from mathjax import metrics

DTYPES = {
    "F64": np.dtype(np.float64),
    "F32": np.dtype(np.float32),
    "F16": np.dtype(np.float16),
    "BF16": np.dtype(ml_dtypes.bfloat16),
}
ONE, INDEX = "model.safetensors", "model.safetensors.index.json"
HEADER = 100 * 2**20  # bytes; the most that a header may have by the format


@dataclasses.dataclass(frozen=True)
class Tensor:
    """An array that lies in a file, from byte `begin` on."""

    path: pathlib.Path
    shape: tuple[int, ...]
    dtype: np.dtype
    begin: int

    def rows(self, start: int, stop: int) -> np.ndarray:
        """Rows `start` to `stop`, read from the file: [stop - start, ...]."""
        wide = math.prod(self.shape[1:])
        begin = self.begin + start * wide * self.dtype.itemsize
        found = np.fromfile(self.path, self.dtype, (stop - start) * wide, offset=begin)
        return found.reshape(stop - start, *self.shape[1:])


def find(folder: pathlib.Path) -> dict[str, Tensor]:
    """Where each array of a model lies, in one file or in those that an index names; only headers are read.

    FileNotFoundError says what is there instead; ValueError names a damaged file, or one that lacks what its index
    says it has.
    """
    if (folder / ONE).is_file():
        return read_header(folder / ONE)
    if not (folder / INDEX).is_file():
        there = sorted(entry.name for entry in folder.iterdir()) if folder.is_dir() else "no such folder"
        raise FileNotFoundError(f"{folder}: wanted {ONE} or {INDEX}, found {there}")
    where = json.loads((folder / INDEX).read_text())["weight_map"]
    if strange := sorted({name for name in where.values() if pathlib.PurePath(name).name != name}):
        raise ValueError(f"{folder / INDEX} names files outside its folder: {', '.join(strange)}")
    files = {name: read_header(folder / name) for name in sorted(set(where.values()))}
    for tensor, name in where.items():
        if tensor not in files[name]:
            raise ValueError(f"{folder / INDEX} says that {tensor} lies in {name}, which lacks it")
    return {tensor: files[name][tensor] for tensor, name in where.items()}


def read_header(path: pathlib.Path) -> dict[str, Tensor]:
    """Where each array of one file lies; ValueError if the file is cut off or holds numbers of another kind."""
    size = path.stat().st_size
    with open(path, "rb") as file:
        start = file.read(8)
        length = struct.unpack("<Q", start)[0] if len(start) == 8 else size
        if length > min(size - 8, HEADER):
            raise ValueError(f"{path} is no safetensors file, or is cut off: its header does not fit into {size} bytes")
        header = json.loads(file.read(length))
    header.pop("__metadata__", None)
    return {name: _tensor(path, name, about, 8 + length, size) for name, about in header.items()}


def _tensor(path, name, about, data, size) -> Tensor:
    if about["dtype"] not in DTYPES:
        raise ValueError(f"{path}: {name} holds {about['dtype']}, wanted one of {', '.join(DTYPES)}")
    dtype, shape, (begin, end) = DTYPES[about["dtype"]], tuple(about["shape"]), about["data_offsets"]
    if end - begin != math.prod(shape) * dtype.itemsize or data + end > size:
        raise ValueError(f"{path} is cut off or damaged: {name} {list(shape)} should lie at bytes {begin} to {end}")
    return Tensor(path, shape, dtype, data + begin)


@dataclasses.dataclass(frozen=True)
class Made:
    """An array to be written, and how to get it when its turn has come."""

    name: str
    shape: tuple[int, ...]
    dtype: np.dtype
    make: Callable[[], np.ndarray]

    @property
    def size(self) -> int:
        return math.prod(self.shape) * self.dtype.itemsize


def write(folder: pathlib.Path, arrays: Iterable[Made], limit: int):
    """Write arrays into files of at most `limit` bytes (an array larger than that has one of its own), and an index."""
    parts: list[list[Made]] = [[]]
    for array in arrays:
        if parts[-1] and sum(held.size for held in parts[-1]) + array.size > limit:
            parts.append([])
        parts[-1].append(array)
    with metrics.progress(sum(map(len, parts)), "writing params", "arrays") as bar:
        _write(folder, parts, bar)


def _write(folder, parts, bar):
    if len(parts) == 1:
        return write_file(folder / ONE, parts[0], bar)
    names = [f"model-{i + 1:05}-of-{len(parts):05}.safetensors" for i in range(len(parts))]
    for name, part in zip(names, parts, strict=True):
        write_file(folder / name, part, bar)
    where = {array.name: name for name, part in zip(names, parts, strict=True) for array in part}
    total = sum(array.size for part in parts for array in part)
    index = {"metadata": {"total_size": total}, "weight_map": where}
    (folder / INDEX).write_text(json.dumps(index, indent=2) + "\n")


def write_file(path: pathlib.Path, arrays: list[Made], bar=None):
    """Write arrays into one file, one after the other; `bar` is moved on by each."""
    codes = {dtype: code for code, dtype in DTYPES.items()}
    header, end = {"__metadata__": {"format": "pt"}}, 0
    for array in arrays:
        spot = {"dtype": codes[array.dtype], "shape": list(array.shape), "data_offsets": [end, end + array.size]}
        header[array.name], end = spot, end + array.size
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for array in arrays:
            file.write(np.ascontiguousarray(array.make()).reshape(-1).view(np.uint8))
            if bar is not None:
                bar.update()
        file.flush()
        with contextlib.suppress(OSError):  # pipes and some network folders cannot
            os.fsync(file.fileno())
