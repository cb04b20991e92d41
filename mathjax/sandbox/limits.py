"""What a program may use, and what became of it."""

from dataclasses import dataclass, fields

LEVELS = ("namespaces", "landlock", "seccomp", "rlimits")  # kinds of isolation, the strongest first
STATUSES = ("ok", "error", "timeout", "memory", "output", "killed", "refused")


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What one program may use; ValueError where a value is impossible."""

    wall_seconds: float = 5.0
    cpu_seconds: float = 5.0  # of each of its processes; the kernel counts whole seconds, so it is rounded up
    memory_bytes: int = 2**30  # of address space for each process, and resident in all of them together
    output_bytes: int = 2**20  # printed, and as much again on stderr
    file_bytes: int = 2**23  # of one file; with namespaces, of the whole scratch folder
    files: int = 256  # open at once; with namespaces, as many may lie in the scratch folder
    processes: int = 32  # at once, threads counted; only namespaces let a program start processes at all
    program_bytes: int = 2**18  # a longer program is refused

    def __post_init__(self):
        for field in fields(self):
            value, smallest = getattr(self, field.name), _SMALLEST.get(field.name, 1)
            if isinstance(value, bool) or not isinstance(value, (int, field.type)):
                raise ValueError(f"limits.{field.name} is {value!r}; wanted {field.type.__name__}")
            if not smallest <= value < float("inf"):
                raise ValueError(f"limits.{field.name} is {value!r}; wanted at least {smallest}, and finite")


_SMALLEST = {"wall_seconds": 0.01, "cpu_seconds": 0.01, "memory_bytes": 2**26, "files": 16}


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of one program.

    status: ok (it ended, with exit status 0), error (an exception or another exit status), timeout, memory, output
    (it used more than its limit), killed (it died of a signal, or its worker died), refused (it was not run).
    """

    status: str
    printed: str = ""  # what it wrote to stdout, up to the limit
    error: str = ""  # why it is not ok, in a line; for an exception, the last line of its traceback
    seconds: float = 0.0  # on the clock, from its start to its end
    level: str = ""  # of isolation, one of LEVELS
