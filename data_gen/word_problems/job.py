"""Word problems as records: which problem has which number, in which split, and how its solution is written.

Example i of a split is a pure function of the recipe, the split and i.

**Splits.** Templates and numbers are divided, in every corpus alike. The templates `stories.HELD` are for test; the
numbers of a story, whatever the story, are for test in one case of `NUMBERS_HELD`, held out in another, and for train
in the others. So test has stories that train never tells and numbers that train never has; heldout has train's stories
with numbers of its own. Where a recipe names its templates, all splits tell them, each with its own numbers.

**Answers.** A problem is taken only if every way to solve it gives the same answer, and every number on the way is
positive and a whole number, or a decimal of two places. What a solution says is computed exactly, as it is written; its
program computes the same steps.
"""

import functools
import itertools
import pathlib
from collections import Counter
from collections.abc import Iterator
from zlib import crc32

import numpy as np

from data_gen import chance, fan_out
from data_gen.word_problems import vocabulary, words
from data_gen.word_problems.stories import ASIDES, HELD, TEMPLATES
from data_gen.word_problems.template import PLACES, Problem, Span, Template, view
from mathjax import config, expression, records
from mathjax.records import Record

NAME = "word_problems"
SPLITS = ("train", "heldout", "test")
NUMBERS_HELD = 10
ATTEMPTS = 20_000  # draws of numbers, before a template is given up
WORDINGS = 30  # of the same numbers
DRAWN = 64  # random numbers at a time
LEARNED = 20_000  # problems that a tokenizer is learned from
PATIENCE = 2_000  # examples in a row whose question was there before


def run(job: config.WordProblems, workdir, workers: int | None = None) -> dict:
    """Write the corpus of a recipe into `workdir` on `workers` processes (None: all cores); gives back the manifest.

    The files are `SPLIT-00000-of-00008.jsonl`; the manifest says for each its rows, the duplicates passed over, and how
    many rows each template has. A run that was killed goes on where it was. With `job.vocabulary`, `tokenizer` is a
    folder with what `tokens.pretrained.read` reads.
    """
    shards = [(split, number) for split in SPLITS for number in range(_shards(job, split)) if getattr(job, split)]
    workdir = pathlib.Path(workdir)
    manifest = fan_out.run(
        functools.partial(_write_shard, job, workdir),
        [(f"{split}-{number:05d}-of-{_shards(job, split):05d}.jsonl", (split, number)) for split, number in shards],
        workdir,
        recipe=job,
        total=sum(getattr(job, split) for split in SPLITS),
        unit="problems",
        workers=workers,
    )
    if job.vocabulary:
        learned = itertools.islice(records.read(workdir / "train-*.jsonl"), LEARNED)
        vocabulary.learn((text for one in learned for text in (one.question, one.solution)), job.vocabulary).save(
            workdir / "tokenizer"
        )
    return manifest


def example(job: config.WordProblems, split: str, i: int) -> Record:
    """Example i of a split, from 0 and without end; ValueError where the recipe leaves no template, or no numbers."""
    below = _chance(chance.key(job.seed, split, i))
    there = templates(job, split)
    template = there[below(len(there))]
    problem = _asked(job, split, template, i, below)
    question = problem.fill(f"{template.story} {template.question}")
    if below(1_000) < job.distractors * 1_000:
        question = _with_aside(problem, below)
    way = template.ways[below(len(template.ways))]
    lines, answer = problem.work(way)
    answer = expression.decimal(answer)
    solution = problem.program(way) if job.style == "pot" else "\n".join([*lines, f"#### {answer}"])
    return Record(
        question=question,
        answer=answer,
        solution=solution,
        style=job.style,
        source=NAME,
        extra={
            "template": template.name,
            "numbers": numbers(problem),
            "steps": len(way),
            "ways": len(template.ways),
        },
    )


def templates(job: config.WordProblems, split: str) -> list[Template]:
    """Those of a split, or those that the recipe names, which have the wanted steps, and whole numbers if wanted."""
    least, most = job.steps
    known = {one.name: one for one in TEMPLATES}
    if unknown := [name for name in job.templates if name not in known]:
        raise ValueError(f"config.templates: no template {', '.join(unknown)}; there are {', '.join(known)}")
    of_split = [one for one in TEMPLATES if (one.name in HELD) == (split == "test")]
    found = [known[name] for name in job.templates] or of_split
    found = [one for one in found if least <= one.steps <= most]
    found = [one for one in found if job.decimals or not has_decimals(one)]
    if not found:
        which = "" if job.decimals else " in whole numbers"
        raise ValueError(f"no template of {split} has {least} to {most} steps{which}")
    return found


def has_decimals(template: Template) -> bool:
    """Whether numbers of a template may have to be decimals."""
    spans = [given for given in template.givens.values() if isinstance(given, Span)]
    return template.decimals or any(one.low.denominator > 1 or one.step.denominator > 1 for one in spans)


def numbers(problem: Problem) -> list[str]:
    """The numbers that a story says and that matter, in no order."""
    return sorted(expression.decimal(problem.givens[name]) for name in set(problem.template.said))


def numbers_split(problem: Problem) -> str:
    """The split that the numbers of a story belong to, in every corpus and whatever the story."""
    return {0: "test", 1: "heldout"}.get(crc32(" ".join(numbers(problem)).encode()) % NUMBERS_HELD, "train")


def fits(problem: Problem, decimals: bool = True) -> bool:
    """Whether all numbers on all ways are positive and whole, or decimals that are short enough, and all ways agree.

    None of them is 1: of one thing, a story would speak in other words.
    """
    values, answers = problem.values()
    longest = PLACES if decimals else 0
    for value in values:
        places = expression.places(value)
        if value <= 0 or value == 1 or places is None or places > longest:
            return False
    return len(answers) == 1


def _problem(job, split, template, below):
    """The template with numbers of the split."""
    for _ in range(ATTEMPTS):
        givens = {}
        for name, given in template.givens.items():
            givens[name] = given.draw(below, job.numbers) if isinstance(given, Span) else given(view(givens))
        problem = Problem(template, givens)
        if template.where(view(givens)) and numbers_split(problem) == split and fits(problem, job.decimals):
            return problem
    raise ValueError(f"template {template.name}: {ATTEMPTS} draws gave no numbers for {split} that fit its story")


def _asked(job, split, template, i, below):
    """The template with numbers and words. A question belongs to one shard, and here it is that of example i."""
    shards = _shards(job, split)
    while True:
        problem = _problem(job, split, template, below)
        for _ in range(WORDINGS):
            problem = _worded(problem, below)
            question = problem.fill(f"{template.story} {template.question}")
            if crc32(question.encode()) % shards == i % shards:
                return problem


def _worded(problem, below):
    template, persons = problem.template, {}
    for letter in template.persons:
        while letter not in persons:
            which = below(2)
            names = (words.SHE, words.HE)[which]
            person = names[below(len(names))], which
            if person not in persons.values():
                persons[letter] = person
    nouns = {name: choices[below(len(choices))] for name, choices in template.words.items()}
    return Problem(template, problem.givens, nouns, persons)


def _with_aside(problem, below):
    """The question with a sentence whose number does not matter: after the story, or before it if it fits anywhere."""
    template = problem.template
    choices = template.asides or (ASIDES if "A" in problem.persons else ASIDES[-2:])
    number = next(n for n in iter(lambda: 2 + below(40), None) if n not in problem.givens.values())
    aside = problem.fill(choices[below(len(choices))], x=number)
    parts = [problem.fill(template.story), aside]
    if not template.asides and below(2):
        parts.reverse()
    return " ".join([*parts, problem.fill(template.question)])


def _chance(key):
    """below(n), a chance of 0, .., n - 1, by the random numbers that a key begins."""

    def stream():
        state = np.array([key], np.uint64)
        while True:
            yield from chance.draws(state, DRAWN)[:, 0].tolist()
            state = state + np.uint64(DRAWN * chance.STEP % 2**64)

    numbers = stream()
    return lambda n: (next(numbers) >> 32) * n >> 32


def shard(job: config.WordProblems, split: str, number: int, facts: Counter) -> Iterator[Record]:
    """The records of one shard; counts into `facts` the duplicates passed over and the rows of each template."""
    count = _shards(job, split)
    rows = getattr(job, split) // count + (number < getattr(job, split) % count)
    seen, idle, i = set(), 0, number
    while len(seen) < rows:
        record = example(job, split, i)
        i += count
        if record.question in seen:
            facts["duplicates"] += 1
            idle += 1
            if idle == PATIENCE:
                raise ValueError(f"no new question after {len(seen)} of {rows}: ask for fewer, or widen the recipe")
            continue
        idle = 0
        seen.add(record.question)
        facts[record.extra["template"]] += 1
        yield record


def _write_shard(job, workdir, place):
    facts, (split, number) = Counter(), place
    path = workdir / f"{split}-{number:05d}-of-{_shards(job, split):05d}.jsonl"
    rows = records.write(path, shard(job, split, number, facts))
    duplicates = facts.pop("duplicates", 0)
    return {"rows": rows, "duplicates": duplicates, "templates": dict(sorted(facts.items()))}


def _shards(job, split):
    return job.shards if split == "train" else 1
