"""Rejection sampling: RFT's rules, held against a literal implementation of them, and the job as a user runs it."""

import ast
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import time

import pytest

from data_gen.rejection import candidates, job, paths
from mathjax import config, records
from mathjax.config import Rejection, Samples, Sampling
from mathjax.records import Record

SVG = "http://www.w3.org/2000/svg"


def literal_value(node):
    """What Python makes of an expression, in floats where it does."""
    match node:
        case ast.BinOp(left=left, op=op, right=right):
            a, b = literal_value(left), literal_value(right)
            name = type(op).__name__
            if name == "Pow" and (abs(a) > 1e6 or abs(b) > 100):
                raise OverflowError
            return {
                "Add": lambda: a + b,
                "Sub": lambda: a - b,
                "Mult": lambda: a * b,
                "Div": lambda: a / b,
                "FloorDiv": lambda: a // b,
                "Pow": lambda: a**b,
            }[name]()
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -literal_value(operand)
        case ast.UnaryOp(op=ast.UAdd(), operand=operand):
            return literal_value(operand)
        case ast.Constant(value=int() | float() as value):
            return value
    raise TypeError


def literal_right(text, truth):
    match = re.search(r"#### (\-?[0-9\.\,]+)", text.split("\0")[0])
    try:
        if match is None or float(match[1].replace(",", "")) != truth:
            return False
        for span in re.findall(r"<<[^>]*>>", text):
            inside = span[2:-2]
            assert "=" in inside
            left, right = inside.split("=")[:2]
            assert not set(left) - set("0123456789+-*/(). ")
            assert abs(literal_value(ast.parse(left.strip(), mode="eval").body) - float(right)) < 1e-3
    except (ValueError, AssertionError, SyntaxError, ZeroDivisionError, OverflowError, TypeError):
        return False
    return True


def literal_distance(a, b):
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        before, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (x != y))
    return row[-1]


def literal_select(texts, distance):
    """The published pass: a key seen again replaces its path if it is strictly farther from all others."""
    chosen, by_key = [], {}
    for text in texts:
        key = "|".join(span[2:-2] for span in re.findall(r"<<[^>]*>>", text)).replace(" ", "")
        if key not in by_key:
            by_key[key] = text
            chosen.append(text)
            continue
        current = by_key[key]
        new = sum(distance(text, other) for other in chosen if other != current)
        old = sum(distance(current, other) for other in chosen if other != current)
        if new > old:
            chosen[chosen.index(current)] = by_key[key] = text
    return chosen


def path(text, maker="m", sample=0):
    return paths.Path(text, paths.by_equations(text), maker, sample)


@pytest.mark.parametrize(
    ("equation", "holds"),
    [
        ("48/2=24", True),
        ("1/3=0.333", True),
        ("1/3=0.33", False),
        ("2+2=5", False),
        ("5%=0.05", False),
        ("2*3=6=7", True),
        ("7//2=3", True),
        ("2**3=8", True),
        ("2^3=8", False),
        ("3x4=12", False),
        ("$5+5=10", False),
        ("5+5=$10", False),
        ("1,000+1=1001", False),
        (" 5 + 5 = 10 ", True),
        (".5*4=2", True),
        ("5.*2=10", True),
        ("(1+2)*3=9", True),
        ("[1+2]*3=9", False),
        ("05+3=8", False),
        ("00+3=3", True),
        ("00.5+3=3.5", True),
        ("1=0.999", False),
        ("=5", False),
        ("5=", False),
        ("5", False),
        ("3(4)=12", False),
        ("1/0=0", False),
        ("5--3=8", True),
        ("9**9**9=1", False),
        ("1=nan", False),
        ("2*10=2e1", True),
    ],
)
def test_an_equation_holds_as_the_published_check_says(equation, holds):
    assert paths.holds(equation) is holds
    assert literal_right(f"<<{equation}>>\n#### 1", 1.0) is holds


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("#### 72", 72.0),
        ("#### 1,234.5 dollars #### 3", 1234.5),
        ("#### -7", -7.0),
        ("#### $72", None),
        ("####72", None),
        ("so 72", None),
        ("#### 1.2.3", None),
        ("#### 5.", 5.0),
        ("5\0 #### 5", None),
    ],
)
def test_the_answer_is_the_first_number_behind_the_marker(text, answer):
    assert paths.answer(text) == answer


def test_a_path_that_is_farther_takes_the_place_of_one_with_its_key():
    first, other = path("a <<1+1=2>> a\n#### 2"), path("b <<2*1=2>> b\n#### 2")
    near, far = path("a <<1+1=2>> b\n#### 2", sample=2), path("far away <<1+1=2>> indeed\n#### 2", sample=3)
    assert paths.select([first, other, near]) == [first, other]
    assert paths.select([first, other, far]) == [far, other]
    assert paths.select([first, far]) == [first]  # no others: 0 is not more than 0
    assert paths.select([first, path(first.text, sample=9), other]) == [first, other]
    swapped = path("<<3+4=7>>"), path("<<4+3=7>>")
    assert paths.select(swapped) == [*swapped]
    bare = path("no equation\n#### 2"), path("none here either, and longer\n#### 2")
    assert paths.select([*bare]) == [bare[0]] and paths.select([first, *bare]) == [first, bare[1]]


@pytest.mark.parametrize(
    ("key", "one", "other", "same"),
    [
        ("equations", "<<3+4=7>>", "<<4+3=7>>", False),
        ("equations", "<<3 + 4=7>>", "<<3+4= 7>>", True),
        ("equations", "<<.25*4=1>>", "<<0.25*4=1>>", False),
        ("terms", "<<3+4=7>>", "<<4+3=7>>", True),
        ("terms", "<<3-4=-1>>", "<<4-3=-1>>", False),
        ("terms", "<<.25*4=1>>", "<<4*0.250=1.0>>", True),
        ("terms", "<<12*50/60=10>>", "<<12*(50/60)=10>>", False),
        ("terms", "<<(1+2)+3=6>>", "<<3+(2+1)=6>>", True),
        ("terms", "<<5%=0.05>>", "<<5 %=0.05>>", True),
        ("program", "print(1+2)  # three", "print(1 + 2)", True),
        ("program", "print(1+2)", "print(2+1)", False),
        ("program", "print(1+", "print(1 +", False),
    ],
)
def test_keys_say_which_paths_are_the_same(key, one, other, same):
    assert (paths.KEYS[key](one) == paths.KEYS[key](other)) is same


@pytest.fixture(scope="module")
def four(public_data, tmp_path_factory):
    """The questions of a real union, and the solutions of its four models as raw generations."""
    folder = tmp_path_factory.mktemp("union")
    lines = (public_data / "outputs" / "gsm8k_openai_solutions_0-659.jsonl").read_text().splitlines()
    rows = [json.loads(line) for line in lines]

    def marked(text):
        before, _, answer = text.rpartition("\nA: ")
        return f"{before}\n#### {answer}"

    questions = []
    for row in rows:
        gold = marked(row["ground_truth"])
        answer = gold.rpartition("#### ")[2]
        questions.append(Record(question=row["question"], answer=answer, solution=gold, source="gsm8k"))
    records.write(folder / "questions.jsonl", questions)
    models = [name for name in rows[0] if name not in ("question", "ground_truth")]
    texts = {name: [marked(row[name]["solution"]) for row in rows] for name in models}
    for name in models:
        lines = [json.dumps([["prompt", text]]) + "\n" for text in texts[name]]
        (folder / f"raw_generation_{name}_7.json").write_text("".join(lines))
    return folder, questions, texts


def union(folder, models, **settings):
    samples = [Samples(name=name, path=f"{folder}/raw_generation_{name}_*.json") for name in models]
    known = {"sampling": Sampling(samples=1), "shards": 3} | settings
    made = Rejection(questions=str(folder / "questions.jsonl"), samples=samples, **known)
    config.check(made)
    return made


def test_a_real_union_is_what_the_literal_rules_make_of_it(four, tmp_path):
    folder, questions, texts = four
    told = job.run(union(folder, texts, published=True), tmp_path, workers=2)
    right = {
        name: [literal_right(text, float(q.answer.replace(",", ""))) for q, text in zip(questions, found, strict=True)]
        for name, found in texts.items()
    }
    assert {name: told["models"][name]["why"]["correct"] for name in texts} == {n: sum(r) for n, r in right.items()}
    from rapidfuzz.distance import Levenshtein

    assert literal_distance("kitten", "sitting") == Levenshtein.distance("kitten", "sitting") == 3
    wanted = []
    for i, question in enumerate(questions):
        passing = [texts[name][i].strip() for name in texts if right[name][i]]
        kept = literal_select(passing, Levenshtein.distance)
        wanted += [(question.question, question.solution), *((question.question, text) for text in kept)]
    found = [record for file in sorted(tmp_path.glob("train-*")) for record in records.read(file)]
    assert [(record.question, record.solution) for record in found] == wanted
    assert told["rows"] == len(wanted) == 1396
    assert told["models"]["all"]["curve"][0]["kept"] == (len(wanted) - len(questions)) / len(questions)
    published = [json.loads(line) for line in (tmp_path / job.PAPER).read_text().splitlines()]
    assert [(row["query"], row["response"]) for row in published] == wanted
    kept = json.loads((tmp_path / job.KEPT).read_text())
    assert sum(map(len, kept.values())) == len(wanted) - len(questions)
    from_models = [record for record in found if record.maker is not None]
    assert {record.maker for record in from_models} == set(texts)
    assert all(record.parent.startswith("gsm8k#") and record.extra["sample"] == 0 for record in from_models)


def test_the_union_counts_what_each_model_alone_brings(four, tmp_path):
    folder, _, texts = four
    alone = {name: job.run(union(folder, [name]), tmp_path / name, workers=1)["models"][name] for name in texts}
    told = job.run(union(folder, texts), tmp_path / "all", workers=1)["models"]
    for name, model in alone.items():
        assert {k: v for k, v in told[name].items() if k != "exclusive"} == {
            k: v for k, v in model.items() if k != "exclusive"
        }
        assert told[name]["exclusive"] <= model["exclusive"] == model["why"]["correct"]
    shown = (tmp_path / "all" / job.PAGE).read_text()
    assert shown.count("<svg") == 3 and all(name in shown for name in texts) and "http://" not in shown.replace(SVG, "")
    assert told["all"]["curve"][0]["kept"] <= sum(model["curve"][0]["kept"] for model in alone.values())
    assert sum(told["all"]["difficulty"]) == 660


def attempts(path, questions, texts, correct=None):
    """A file of stored attempts: texts[i] are those at question i."""
    with open(path, "w") as file:
        for i, (question, some) in enumerate(zip(questions, texts, strict=True)):
            for j, text in enumerate(some):
                verdict = {"correct": bool(correct and correct[i][j])}
                row = {"index": i, "sample": j, "question": question, "completion": text, "verdict": verdict}
                file.write(json.dumps(row) + "\n")
    return str(path)


@pytest.fixture
def small(tmp_path):
    """Two questions with four attempts each."""
    rows = [Record(question="a?", answer="7", solution="<<3+4=7>>\n#### 7"), Record(question="b?", answer="1,000")]
    records.write(tmp_path / "q.jsonl", rows)
    texts = [
        ["<<4+3=7>>\n#### 7", "<<3+4=7>>\n#### 7", "<<4+3=7>>!\n#### 7", "#### 8"],
        ["#### 9", "#### 1000", "#### 1,000", "<<500*2=1000>>\n#### 1000"],
    ]
    correct = [[False, True, True, True], [True, False, False, False]]
    path = attempts(tmp_path / "a.jsonl", ["a?", "b?"], texts, correct)
    settings = {"questions": str(tmp_path / "q.jsonl"), "samples": [Samples(name="m", path=path)], "shards": 2}
    return lambda **more: Rejection(**settings | {"sampling": Sampling(samples=4)} | more)


def kept(workdir):
    return [
        (record.question, record.solution) for file in sorted(workdir.glob("train-*")) for record in records.read(file)
    ]


def test_the_curve_says_what_the_first_k_samples_give(small, tmp_path):
    told = job.run(small(), tmp_path / "out", workers=1)["models"]["m"]
    rows = {row["k"]: row for row in told["curve"]}
    assert {k: row["correct"] for k, row in rows.items()} == {1: 0.5, 3: 2.5, 4: 3.0}
    assert {k: row["kept"] for k, row in rows.items()} == {1: 0.5, 3: 1.5, 4: 2.0}
    assert {k: row["distinct"] for k, row in rows.items()} == {1: 1.0, 3: 1.5, 4: 2.0}
    assert {k: row["solved"] for k, row in rows.items()} == {1: 0.5, 3: 1.0, 4: 1.0}
    assert told["why"] == {"correct": 6, "wrong_answer": 2} and told["difficulty"][8] == 2
    assert len(kept(tmp_path / "out")) == 2 + 4


@pytest.mark.parametrize(
    ("settings", "rows"),
    [
        ({"gold": False}, 4),
        ({"gold": False, "cap": 1}, 2),
        ({"gold": False, "key": "terms"}, 3),
        ({"gold": False, "filter": "verdict"}, 3 + 1),
        ({"gold": False, "sampling": Sampling(samples=1)}, 1),
    ],
)
def test_settings_change_what_is_kept(small, tmp_path, settings, rows):
    job.run(small(**settings), tmp_path / "out", workers=1)
    assert len(kept(tmp_path / "out")) == rows


def test_what_does_not_fit_is_said(small, tmp_path):
    with pytest.raises(ValueError, match="m has 4 samples a question, 5 are wanted"):
        job.run(small(sampling=Sampling(samples=5)), tmp_path / "out")
    asked = small()
    for text, message in (
        ('{"index": 0}\n', "as many attempts at each of 2 questions, found 1 rows"),
        ('[["p", "c"]]\n', "a row for each of 2 questions, found 1"),
        ('[["p", "c"]]\n[["p"]]\n', r"a\.jsonl, line 2: wanted \[\[prompt, completion\]\]"),
    ):
        pathlib.Path(asked.samples[0].path).write_text(text)
        with pytest.raises(ValueError, match=message):
            candidates.read(asked.samples[0].path, 2).at(1, "b?", 1)
    wrong = attempts(asked.samples[0].path, ["a?", "c?"], [["x"], ["y"]])
    with pytest.raises(
        ValueError, match=r"a\.jsonl, line 2: wanted sample 0 of question 1, 'b\?'; found 0 of 1, 'c\?'"
    ):
        candidates.read(wrong, 2).at(1, "b?", 1)
    with pytest.raises(FileNotFoundError, match="found none"):
        candidates.read(str(tmp_path / "none*"), 2)


@pytest.mark.parametrize(
    ("part", "message"),
    [
        (Samples(name="m"), "got none"),
        (Samples(name="m", path="a", model="b"), "got path, model"),
        (Samples(name="../m", path="a"), "as a file is called by it"),
    ],
)
def test_samples_come_from_one_place(part, message):
    with pytest.raises(ValueError, match=message):
        config.check(Rejection(questions="q", samples=[part]))


def test_a_killed_run_ends_with_the_same_bytes(four, tmp_path):
    folder, _, texts = four
    made = union(folder, texts, shards=8)
    job.run(made, tmp_path / "whole", workers=2)
    program = (
        "import sys, json; from mathjax import config; from data_gen.rejection import job\n"
        "if __name__ == '__main__':\n"
        "    job.run(config.from_dict(config.Rejection, json.load(open(sys.argv[1]))), sys.argv[2], 1)\n"
    )
    (tmp_path / "job.json").write_text(config.to_json(made))
    (tmp_path / "program.py").write_text(program)
    command = [sys.executable, tmp_path / "program.py", tmp_path / "job.json", tmp_path / "cut"]
    environment = os.environ | {"PYTHONPATH": str(pathlib.Path(__file__).parents[1])}
    running = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while running.poll() is None and not list((tmp_path / "cut").glob("train-*")):
        time.sleep(0.005)
    os.kill(running.pid, signal.SIGKILL)
    running.wait()
    job.run(made, tmp_path / "cut", workers=2)
    for file in [*(tmp_path / "whole").glob("train-*"), tmp_path / "whole" / job.REPORT]:
        assert file.read_bytes() == (tmp_path / "cut" / file.name).read_bytes()


def test_a_model_is_sampled_and_more_samples_are_added(tiny_model, tmp_path):
    rows = [
        Record(question=f"{a}+1=", answer=str(a + 1), solution=f"<<{a}+1={a + 1}>>\n#### {a + 1}") for a in range(3)
    ]
    records.write(tmp_path / "q.jsonl", rows)

    def made(samples):
        return Rejection(
            questions=str(tmp_path / "q.jsonl"),
            samples=[
                Samples(name="tiny", model=str(tiny_model)),
                Samples(name="hot", model=str(tiny_model), temperature=2),
            ],
            sampling=Sampling(temperature=0.7, samples=samples, max_tokens=8),
            template="plain",
            shards=1,
            slots=8,
        )

    told = job.run(made(2), tmp_path / "out", workers=1)
    before = (tmp_path / "out" / "samples" / "tiny.jsonl").read_text().splitlines()
    assert len(before) == 6 and told["models"]["tiny"]["why"]["no_answer"] > 0
    (tmp_path / "more" / "samples").mkdir(parents=True)
    for file in (tmp_path / "out" / "samples").iterdir():
        (tmp_path / "more" / "samples" / file.name).write_bytes(file.read_bytes())
    job.run(made(3), tmp_path / "more", workers=1)
    job.run(made(3), tmp_path / "anew", workers=1)
    for name in ("tiny", "hot"):
        assert (tmp_path / "more" / "samples" / f"{name}.jsonl").read_bytes() == (
            tmp_path / "anew" / "samples" / f"{name}.jsonl"
        ).read_bytes()
    assert before != (tmp_path / "out" / "samples" / "hot.jsonl").read_text().splitlines()
