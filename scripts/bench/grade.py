"""Graders of answers side by side: mathjax, math-verify, and the string rules of the MATH paper.

    python scripts/bench/grade.py [--sets=exam,sample,outputs] [--graders=mathjax,math-verify,hendrycks] [--list=FILE]

`exam` is tests/cases/answers.jsonl, `sample` and `outputs` are public data (see README, Data): a published exam, and
outputs of models with their recorded grades. Contested cases count apart. Each grader works in a process of its own,
extraction included, and is killed where a case takes 20 s; cases/s are of its CPU time, on one core.
--list writes the outputs whose recorded grade mathjax does not share; tests/cases/recorded_grades.jsonl says who is
right. math-verify comes with: bash scripts/setup.sh core bench
"""

import ast
import importlib.util
import json
import os
import pathlib
import select
import subprocess
import sys
import time

from absl import app, flags

ROOT = pathlib.Path(__file__).resolve().parents[2]
PATIENCE = 20.0  # seconds for a case, and for the batch it comes in
BATCH = 64
FILES = {  # of outputs: how to find truth, completion and recorded grade in a row
    "gsm8k_rho-1b_cot_0-659": "rho",
    "gsm8k_rho-7b_cot_0-659": "rho",
    "gsm8k_rho-1b-interpreter_tora_0-659": "rho",
    "gsm8k_rho-7b-interpreter_tora_0-659": "rho",
    "gsm8k_openai_solutions_0-659": "openai",
    "gsm8k_mathcoder-l-7b_0-659": "mathcoder",
    "deepmind_mathcoder-cl-13b": "mathcoder",
    "simuleq_mathcoder-cl-13b": "mathcoder",
}

_SETS = flags.DEFINE_list("sets", ["exam", "sample", "outputs"], "which of exam, sample, outputs")
_GRADERS = flags.DEFINE_list("graders", None, "which of mathjax, math-verify, hendrycks; by default all that there are")
_LIST = flags.DEFINE_string("list", None, "a file for the outputs whose recorded grade mathjax does not share")
_LIMIT = flags.DEFINE_integer("limit", None, "cases of a set at most, evenly taken", lower_bound=1)
_SIDE = flags.DEFINE_enum("side", None, ["mathjax", "math-verify", "hendrycks"], "internal: be that grader")


def main(_):
    if _SIDE.value:
        return serve(_SIDE.value)
    graders = _GRADERS.value or ["mathjax", "hendrycks"]
    if _GRADERS.value is None and importlib.util.find_spec("math_verify"):
        graders.insert(1, "math-verify")
    for name in _SETS.value:
        cases = {"exam": exam, "sample": sample, "outputs": outputs}[name]()
        if not cases:
            print(f"{name}: not here; set MATHJAX_DATA to a folder of public data")
            continue
        if _LIMIT.value:
            cases = cases[:: max(1, len(cases) // _LIMIT.value)]
        print(f"{name}: {len(cases):,} cases, {sum(case['contested'] for case in cases)} of them contested", flush=True)
        print(f"  {'':12} agree  false pos  false neg  undecided  contested agree  cases/s  worst s  killed")
        for grader in graders:
            verdicts = graded(grader, cases)
            print(f"  {grader:12} {row(cases, verdicts)}", flush=True)
            if _LIST.value and grader == "mathjax" and name == "outputs":
                listed(cases, verdicts, _LIST.value)


def row(cases, verdicts):
    plain = [(case, verdict) for case, verdict in zip(cases, verdicts, strict=True) if not case["contested"]]
    contested = [(case, verdict) for case, verdict in zip(cases, verdicts, strict=True) if case["contested"]]
    agree = sum(case["correct"] == verdict["correct"] for case, verdict in plain)
    positive = sum(not case["correct"] and verdict["correct"] for case, verdict in plain)
    negative = sum(case["correct"] and not verdict["correct"] for case, verdict in plain)
    negatives = sum(not case["correct"] for case, _ in plain)
    undecided = sum(verdict.get("undecided", False) for verdict in verdicts)
    shared = sum(case["correct"] == verdict["correct"] for case, verdict in contested)
    seconds = sum(verdict.get("cpu", verdict["seconds"]) for verdict in verdicts)
    return (
        f"{agree / len(plain):6.2%} {positive:4}/{negatives:<5}  {negative:4}/{len(plain) - negatives:<5} {undecided:6}"
        f"  {f'{shared}/{len(contested)}':>15}  {len(cases) / seconds:8,.0f} {max(v['seconds'] for v in verdicts):7.2f}"
        f" {sum(verdict.get('killed', False) for verdict in verdicts):5}"
    )


def listed(cases, verdicts, path):
    found = [
        {"id": case["id"], "gold": case["gold"], "recorded": case["correct"], "mathjax": verdict["correct"]}
        | {"answer": verdict.get("answer"), "end": case["completion"][-160:]}
        for case, verdict in zip(cases, verdicts, strict=True)
        if case["correct"] != verdict["correct"]
    ]
    pathlib.Path(path).write_text("".join(json.dumps(one) + "\n" for one in found))
    print(f"  {len(found)} outputs with another recorded grade: {path}")


def graded(grader, cases):
    """The verdicts of a grader, each with its share of the CPU time of its batch; a hang costs the process its life."""
    process, verdicts = None, []
    waiting = [cases[start : start + BATCH] for start in range(0, len(cases), BATCH)][::-1]
    while waiting:
        batch = waiting.pop()
        process = process or _start(grader)
        process.stdin.write(json.dumps([{name: case.get(name) for name in FIELDS} for case in batch]) + "\n")
        process.stdin.flush()
        begun = time.perf_counter()
        if select.select([process.stdout], [], [], PATIENCE)[0] and (line := process.stdout.readline()):
            verdicts += json.loads(line)
            continue
        process.kill()
        process.wait()
        process = None
        if len(batch) > 1:
            waiting += [[case] for case in reversed(batch)]
        else:
            verdicts.append({"correct": False, "killed": True, "seconds": time.perf_counter() - begun})
    if process:
        process.stdin.close()
        process.wait()
    return verdicts


FIELDS = ("gold", "completion", "style", "options")


def _start(grader):
    command = [sys.executable, __file__, f"--side={grader}"]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, stderr=subprocess.DEVNULL
    )
    process.stdout.readline()  # imported
    return process


def serve(grader):
    """Grade the batches of cases of stdin, a line each."""
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))
    judge = {"mathjax": by_mathjax, "math-verify": by_math_verify, "hendrycks": by_hendrycks}[grader]()
    print("ready", flush=True)
    for line in sys.stdin:
        begun = time.process_time()  # of the batch: this clock asks the kernel, which would cost every case dear
        verdicts = [_timed(judge, case) for case in json.loads(line)]
        cpu = (time.process_time() - begun) / len(verdicts)
        print(json.dumps([verdict | {"cpu": cpu} for verdict in verdicts]), flush=True)


def _timed(judge, case):
    begun = time.perf_counter()
    try:
        verdict = judge(case)
    except Exception as error:  # another project's fault is a wrong verdict here, and no more
        verdict = {"correct": False, "error": repr(error)[:200]}
    return verdict | {"seconds": time.perf_counter() - begun}


def by_mathjax():
    from mathjax.records import Record
    from mathjax.verify import verify

    def judge(case):
        options = tuple(case["options"]) if case.get("options") else None
        record = Record(question="", answer=case["gold"], style=case.get("style") or "cot", options=options)
        verdict = verify(record, case["completion"])
        return {"correct": verdict.correct, "undecided": not verdict.decided, "answer": verdict.answer}

    return judge


def by_math_verify():
    from math_verify import parse, verify

    def judge(case):
        gold = case["gold"]
        if not any(mark in gold for mark in ("$", "\\boxed", "\\(", "\\[", "####")):
            gold = f"${gold}$"  # it reads LaTeX between marks alone
        gold, found = parse(gold), parse(case["completion"])
        return {"correct": bool(verify(gold, found))}

    return judge


def by_hendrycks():
    from mathjax.answers import extract, protocols

    def judge(case):
        found = extract.find(case["completion"])  # ours, as theirs reads boxes alone
        truth = protocols.rewritten(extract.reference(case["gold"]))
        return {"correct": found is not None and protocols.rewritten(found.text) == truth}

    return judge


def exam():
    return [json.loads(line) for line in (ROOT / "tests/cases/answers.jsonl").read_text().splitlines()]


def sample():
    path = data() / "grading_cases_sample.jsonl"
    if not path.is_file():
        return []
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    return [row | {"completion": row["prediction_text"], "correct": row["expected"]} for row in rows]


def outputs():
    found = []
    for name, kind in FILES.items():
        path = data() / "outputs" / f"{name}.jsonl"
        if path.is_file():
            for number, line in enumerate(path.read_text().splitlines()):
                for truth, completion, grade in READERS[kind](json.loads(line)):
                    case = {"gold": str(truth), "completion": completion, "correct": bool(grade), "contested": False}
                    found.append({"id": f"{name}:{number}", **case})
    return found


def rho(row):
    yield row["gt"], _value(row["code"])[0], _value(row["score"])[0]


def openai(row):
    for name in ("6b_finetuning", "6b_verification", "175b_finetuning", "175b_verification"):
        output = _value(row[name])
        yield row["ground_truth"].rpartition("A: ")[2].strip(), output["solution"], output["is_correct"]


def mathcoder(row):
    yield _value(row["ground_truth"])["answer"], row["completion"], row["is_correct"]


def _value(column):
    """A column that some rows hold as the text of a Python literal."""
    return ast.literal_eval(column) if isinstance(column, str) else column


def data():
    return pathlib.Path(os.environ.get("MATHJAX_DATA", ROOT.parent / "shared" / "data"))


READERS = {"rho": rho, "openai": openai, "mathcoder": mathcoder}

if __name__ == "__main__":
    app.run(main)
