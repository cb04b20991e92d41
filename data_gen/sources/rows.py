"""Rows of published files, each with its place: JSON, CSV, XML, pairs of lines, parquet."""

import csv
import glob
import gzip
import hashlib
import json
import os
import pathlib
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """A row as published: its text and its columns, or without columns, why it cannot be read."""

    path: str
    line: int  # its first, from 1; in a parquet file the number of the row
    raw: str
    columns: dict | None
    why: str = ""


def find(path) -> list[str]:
    """The file, the files of a folder and its folders, or those a glob matches, in the order of their names.

    FileNotFoundError where there is none; ValueError for a file whose suffix is none of FORMATS.
    """
    path = os.fspath(path)
    if os.path.isdir(path):
        found = [name for name in glob.glob(os.path.join(path, "**"), recursive=True) if name.endswith(tuple(FORMATS))]
    else:
        found = [path] if os.path.exists(path) else glob.glob(path, recursive=True)
    found = sorted(name for name in found if os.path.isfile(name))
    if not found:
        raise FileNotFoundError(f"{path}: no published file here; they end in {', '.join(FORMATS)}")
    for name in found:
        _format(name)
    return found


def read(path: str) -> Iterator[Row]:
    """The rows of one file, in their order; blank lines are none.

    A row that is no JSON object comes without columns. ValueError names the line from which on a file that is not
    made of lines (a JSON array, XML) cannot be read. ModuleNotFoundError where parquet lacks its package.
    """
    return _format(path)(path)


def digest(paths: list[str]) -> str:
    """sha256 of one file, or of the list of the digests of several."""
    found = []
    for path in paths:
        with open(path, "rb") as file:
            found.append(hashlib.file_digest(file, "sha256").hexdigest())
    return found[0] if len(found) == 1 else hashlib.sha256("\n".join(found).encode()).hexdigest()


def _format(path):
    for suffix, how in FORMATS.items():
        if path.endswith(suffix):
            return how
    raise ValueError(f"{path}: a published file ends in {', '.join(FORMATS)}")


def _lines(path):
    with gzip.open(path) if path.endswith(".gz") else open(path, "rb") as file:
        for number, line in enumerate(file, start=1):
            line = line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line
            if line.strip():
                yield _parsed(path, number, line)


def _json(path):
    """An array of rows, one row alone, or a row a line."""
    data = pathlib.Path(path).read_bytes().removeprefix(b"\xef\xbb\xbf")
    first = data.lstrip()[:1]
    if first == b"[":
        yield from _array(path, str(data, "utf-8"))
    elif first == b"{" and not _is_object(data.lstrip().partition(b"\n")[0]):
        yield _parsed(path, 1, data)
    else:
        yield from _lines(path)


def _array(path, text):
    at, line, counted = text.index("[") + 1, 1, 0
    while True:
        at = _BETWEEN.match(text, at).end()
        line, counted = line + text.count("\n", counted, at), at
        if text.startswith("]", at) and not text[at + 1 :].strip():
            return
        try:
            columns, end = _DECODER.raw_decode(text, at)
        except (ValueError, RecursionError) as error:
            raise ValueError(f"{path}, line {line}: the array cannot be read from here on: {error}") from None
        raw = text[at:end]
        yield Row(path, line, raw, columns) if isinstance(columns, dict) else Row(path, line, raw, None, _NO_OBJECT)
        at = end


def _parsed(path, number, data):
    raw = data.strip()
    try:
        columns = _DECODER.decode(str(raw, "utf-8"))
    except (ValueError, RecursionError) as error:
        return Row(path, number, str(raw, "utf-8", "backslashreplace"), None, f"not JSON: {error}")
    if not isinstance(columns, dict):
        return Row(path, number, str(raw, "utf-8"), None, _NO_OBJECT)
    return Row(path, number, str(raw, "utf-8"), columns)


def _is_object(data):
    try:
        return isinstance(_DECODER.decode(str(data, "utf-8")), dict)
    except (ValueError, RecursionError):
        return False


def _csv(path):
    """Columns `cells` and `file`, as these files have no header."""
    with open(path, encoding="utf-8", newline="") as file:
        found, line = csv.reader(file), 1
        for cells in found:
            if cells:
                raw = json.dumps(cells, ensure_ascii=False)
                yield Row(path, line, raw, {"cells": cells, "file": pathlib.Path(path).stem})
            line = found.line_num + 1


def _xml(path):
    """The attributes and parts of each `Problem`, under their names in lower case with `_` for `-`."""
    parser = ET.XMLPullParser(["end"])
    with open(path, "rb") as file:
        for number, data in enumerate(file, start=1):
            try:
                parser.feed(data)
                ended = [element for _, element in parser.read_events() if element.tag == "Problem"]
            except ET.ParseError as error:
                raise ValueError(f"{path}, line {number}: the file cannot be read from here on: {error}") from None
            for element in ended:
                columns = {**element.attrib, **{part.tag: part.text or "" for part in element}}
                columns = {name.lower().replace("-", "_"): value for name, value in columns.items()}
                yield Row(path, number, ET.tostring(element, encoding="unicode").strip(), columns)
                element.clear()


def _pairs(path):
    """A question in one line, its answer in the next; the column `module` is the name of the file."""
    lines = pathlib.Path(path).read_text(encoding="utf-8").splitlines()
    for place in range(0, len(lines) - 1, 2):
        question, answer = lines[place : place + 2]
        columns = {"question": question, "answer": answer, "module": pathlib.Path(path).stem}
        yield Row(path, place + 1, f"{question}\n{answer}", columns)
    if len(lines) % 2 and lines[-1].strip():
        yield Row(path, len(lines), lines[-1], None, "a question without the line of its answer")


def _parquet(path):
    try:
        from pyarrow import parquet
    except ImportError:
        raise ModuleNotFoundError(f"{path}: parquet needs the package pyarrow: pip install pyarrow") from None
    number = 0
    for batch in parquet.ParquetFile(path).iter_batches():
        for columns in batch.to_pylist():
            number += 1
            yield _parsed(path, number, json.dumps(columns, ensure_ascii=False, default=str).encode())


def _refuse_constant(name):
    raise ValueError(f"{name} is not JSON")


FORMATS = {  # suffix: the rows of such a file
    ".jsonl": _lines,
    ".jsonl.gz": _lines,
    ".json": _json,
    ".csv": _csv,
    ".xml": _xml,
    ".txt": _pairs,
    ".parquet": _parquet,
}
_DECODER = json.JSONDecoder(parse_constant=_refuse_constant)
_BETWEEN = re.compile(r"\s*,?\s*")
_NO_OBJECT = "a row is a JSON object"
