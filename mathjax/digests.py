"""Whether the files of a folder are still those that were written: their sizes and digests, in a file beside them."""

import hashlib
import json
import os
import pathlib
from concurrent.futures import ThreadPoolExecutor

NAME = "digests.json"


def write(folder, ignore: tuple[str, ...] = ()):
    """Write down size and sha256 of every file below a folder, but of those with a name in `ignore`."""
    folder = pathlib.Path(folder)
    rows = _measured(folder, _files(folder, ignore))
    path = folder / NAME
    with path.open("w", encoding="utf-8") as file:
        json.dump(rows, file, indent=0)
        file.flush()
        os.fsync(file.fileno())


def damage(folder, below: tuple[str, ...] = ()) -> str:
    """What is wrong with a folder that `write` was called for, or "" if all is as it was.

    `below` holds the subfolders to look at, if not at all of them. Files that came later do not matter.
    """
    folder = pathlib.Path(folder)
    try:
        rows = json.loads((folder / NAME).read_bytes())
        expected = {name: (int(size), str(digest)) for name, (size, digest) in rows.items()}
    except FileNotFoundError:
        return f"{NAME} is missing, so it was not written to its end, or before there were digests"
    except (OSError, ValueError, TypeError, AttributeError) as error:
        return f"{NAME} cannot be read: {error}"
    names = [name for name in expected if not below or name.partition("/")[0] in below]
    for name in names:  # sizes first: they cost nothing
        try:
            size = (folder / name).stat().st_size
        except OSError as error:
            return f"{name}: {error.strerror}"
        if size != expected[name][0]:
            return f"{name} has {size:,} bytes, {expected[name][0]:,} were written"
    try:
        found = _measured(folder, names)
    except OSError as error:
        return f"{error.filename}: {error.strerror}"
    changed = [name for name in names if tuple(found[name]) != expected[name]]
    return f"{changed[0]} holds other bytes than were written" if changed else ""


def _files(folder, ignore):
    paths = (path for path in sorted(folder.rglob("*")) if path.is_file() and path.name not in (NAME, *ignore))
    return [path.relative_to(folder).as_posix() for path in paths]


def _measured(folder, names):
    """{name: [size, sha256]}; many files at a time, as hashing leaves the interpreter alone."""
    with ThreadPoolExecutor(min(16, os.cpu_count() or 1)) as pool:
        return dict(zip(names, pool.map(lambda name: _one(folder / name), names), strict=True))


def _one(path):
    with path.open("rb") as file:
        return [os.fstat(file.fileno()).st_size, hashlib.file_digest(file, "sha256").hexdigest()]
