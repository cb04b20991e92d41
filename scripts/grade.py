"""Judge outputs of any model: JSONL in, JSONL of verdicts out, and a table by source.

    python scripts/grade.py --input=outputs.jsonl --output=verdicts.jsonl [--style=pot] [--protocol=hendrycks]

A line of the input is an object with `answer` (the truth: a number, LaTeX, or a solution that ends in `#### 18` or in
\\boxed{..}) and `completion` (what the model wrote), perhaps with `style` (cot: words; pot: a program, run in a
sandbox; arithmetic: a chain of equations, with its `question`; choice: with its `options`), `source` (a row of the
table) and `id`. A line of the output is `correct`, `answer` (what was found), `why` (correct, wrong_value, no_answer,
undecided, timeout, program_error, ...) and `seconds`. Interrupted, the same command goes on where it was.

Exit status: 0 done, 1 the sandbox cannot run here, 2 the command line or the input is wrong, 130 interrupted.
"""

import pathlib
import sys

from absl import app, flags

from mathjax.sandbox import LEVELS, Limits
from mathjax.verify import PROTOCOLS, Verifier, grade

_INPUT = flags.DEFINE_list("input", None, "files of cases, one after the other")
_OUTPUT = flags.DEFINE_string("output", None, "where the verdicts go; an existing file is replaced at the end")
_STYLE = flags.DEFINE_enum("style", "cot", list(PROTOCOLS), "of cases that name none")
_PROTOCOL = flags.DEFINE_enum(
    "protocol", "strict", sorted({name for names in PROTOCOLS.values() for name in names}), "whose rules are applied"
)
_WORKERS = flags.DEFINE_integer("workers", None, "processes; by default one a core", lower_bound=1)
_SECONDS = flags.DEFINE_float("seconds", 5.0, "that a program may take", lower_bound=0.01)
_LEVEL = flags.DEFINE_enum("level", None, list(LEVELS), "of isolation; by default the strongest there is")
_MINIMUM = flags.DEFINE_enum("minimum", None, list(LEVELS), "the weakest level that is taken unasked")


def main(arguments):
    if len(arguments) > 1:
        sys.exit(_wrong(f"not understood: {' '.join(arguments[1:])}; see --help"))
    if missing := [path for path in _INPUT.value if not pathlib.Path(path).is_file()]:
        sys.exit(_wrong(f"no file {', '.join(missing)}"))
    limits = Limits(wall_seconds=_SECONDS.value, cpu_seconds=_SECONDS.value)
    try:
        with Verifier(
            _WORKERS.value, protocol=_PROTOCOL.value, limits=limits, level=_LEVEL.value, minimum=_MINIMUM.value
        ) as verify:
            rows = grade.run(_INPUT.value, _OUTPUT.value, verify, _STYLE.value)
            level = verify.level
    except ValueError as error:
        sys.exit(_wrong(str(error)))
    except RuntimeError as error:
        print(f"grade: {error}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        print("grade: interrupted; the same command goes on from here", file=sys.stderr)
        sys.exit(130)
    print(grade.table(rows))
    if level:
        print(f"programs ran under isolation level {level}; the simplest were interpreted")
    print(f"verdicts: {_OUTPUT.value}")


def _wrong(message):
    print(f"grade: {message}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    flags.mark_flags_as_required(["input", "output"])
    app.run(main)
