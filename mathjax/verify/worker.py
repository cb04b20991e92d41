"""What judges in a process of its own: cases come in, verdicts go out, in frames of JSON.

Nothing in a completion is executed here; the process is there to be killed where a comparison takes too long, and to
fail alone where it takes too much memory. Programs that need the sandbox are given back to the caller.
"""

import json
import resource
import struct
import sys
import time

from mathjax.records import Record
from mathjax.sandbox.limits import Outcome
from mathjax.verify import programs, styles
from mathjax.verify.verdict import Verdict

MEMORY = 2**31  # bytes of address space
LENGTH = struct.Struct("<I")


def main():
    """Answer frames until stdin ends."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    sys.setrecursionlimit(3_000)
    read, write = sys.stdin.buffer, sys.stdout.buffer
    sys.stdout = sys.stderr
    while head := read.read(LENGTH.size):
        cases = json.loads(read.read(LENGTH.unpack(head)[0]))
        data = json.dumps([judged(*case) for case in cases]).encode()
        write.write(LENGTH.pack(len(data)) + data)
        write.flush()


def judged(row: dict, completion: str, protocol: str, outcome: dict | None):
    """The fields of a verdict; or the text of a program that needs the sandbox; or what is wrong with the record."""
    begun = time.perf_counter()
    try:
        record = Record(**{**row, "options": tuple(row["options"]) if row.get("options") else None})
        verdict = _verdict(record, completion, protocol, outcome)
    except MemoryError:
        verdict = Verdict(answer=None, correct=False, why="memory")
    except RecursionError:
        verdict = Verdict(answer=None, correct=False, why="undecided", detail="nested too deep")
    except (ValueError, TypeError) as error:
        return {"error": str(error)}
    if isinstance(verdict, str):
        return {"run": verdict}
    fields = {"answer": None} | {name: value for name in FIELDS if (value := getattr(verdict, name)) is not None}
    fields["seconds"] = time.perf_counter() - begun + (outcome["seconds"] if outcome else 0.0)
    return {"verdict": fields}


def _verdict(record, completion, protocol, outcome):
    if record.style != "pot":
        return styles.verify(record, completion, protocol)
    if outcome is not None:
        return programs.judge(record, Outcome(**outcome), completion, protocol)
    source = programs.source(completion)
    if source is None:
        return programs.judge(record, None, completion, protocol)
    outcome = programs.interpreted(source)
    return source if outcome is None else programs.judge(record, outcome, completion, protocol)


FIELDS = tuple(Verdict.__dataclass_fields__)
