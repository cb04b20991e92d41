"""What the doors share: a command line becomes a checked job and a folder, and the job is run.

Exit status: 0 done, 1 the job failed, 2 the command line or the recipe is wrong (said before anything long starts),
130 interrupted.
"""

import ast
import contextlib
import dataclasses
import difflib
import inspect
import os
import pathlib
import re
import runpy
import sys
import traceback

from absl import flags
from ml_collections import config_flags
from ml_collections.config_flags import config_path

from mathjax import config

DOORS = {
    config.Arithmetic: "scripts/make_data.py",
    config.GSM8KEquations: "scripts/make_data.py",
    config.PublicData: "scripts/make_data.py",
    config.WordProblems: "scripts/make_data.py",
    config.Rejection: "scripts/make_data.py",
    config.Filter: "scripts/make_data.py",
    config.Train: "scripts/train.py",
    config.Evaluate: "scripts/evaluate.py",
}
TOGETHER = (config.Train,)  # jobs that several processes carry out as one
CHECKOUT = pathlib.Path(__file__).resolve().parents[1]


class WrongInput(Exception):
    """The command line or the recipe is wrong; the message is for whoever typed it."""


class _ListParser(flags.ArgumentParser):
    """`a,b` or `[1, 2]` as a list; the types of its entries are for `config.check` to judge."""

    def parse(self, argument):
        if isinstance(argument, list):
            return argument
        if argument.startswith("["):
            try:
                return list(ast.literal_eval(argument))
            except (SyntaxError, ValueError):
                raise ValueError("a list is written a,b or ['a', 'b']") from None
        return [part.strip() for part in argument.split(",") if part.strip()]

    def flag_type(self):
        return "list"


config_flags.register_flag_parser_for_type(list, _ListParser())


def main(doc, jobs):
    """Run the job that the command line asks for, and exit; `jobs` maps a config class to its `run(job, workdir)`."""
    try:
        sys.exit(_main(sys.argv, doc, jobs))
    except WrongInput as error:
        print(f"{pathlib.Path(sys.argv[0]).name}: {error}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        print("\ninterrupted: the same command goes on from what is saved", file=sys.stderr)
        sys.exit(130)


def parse(argv, jobs):
    """(job, workdir) as the command line wants them, checked; workdir is None where it is not given.

    `--config.LIST[i]=none` takes an entry out of a list. WrongInput for anything wrong, with the names that exist.
    """
    values = _parsed(argv, jobs)
    return values.config, values.workdir


def _parsed(argv, jobs):
    """The values of all flags: `config`, `workdir`, and which of several processes this one is."""
    arguments = argv[1:]
    recipe = _recipe_of(arguments)
    if recipe is None:
        raise WrongInput(f"--config=RECIPE is missing\n{_list_recipes(jobs)}")
    job, _ = _load(recipe, jobs)
    if type(job) not in jobs:
        raise WrongInput(f"{recipe} is a recipe for {DOORS[type(job)]}\n{_list_recipes(jobs)}")
    for name, value in _settings_of(arguments):
        _check_setting(job, name, value)
    argv, dropped = _without_dropped(argv)
    values = flags.FlagValues()
    config_flags.DEFINE_config_dataclass("config", job, parse_fn=lambda _: job, sys_argv=argv, flag_values=values)
    flags.DEFINE_string("workdir", None, "", flag_values=values)
    if isinstance(job, TOGETHER):
        flags.DEFINE_string("coordinator", "", "", flag_values=values)
        flags.DEFINE_integer("processes", 0, "", lower_bound=0, flag_values=values)
        flags.DEFINE_integer("process", -1, "", lower_bound=-1, flag_values=values)
    try:
        left = values(argv)[1:]
        for name in sorted(dropped, key=config_path.split, reverse=True):
            del config_path.get_value(name.rpartition("[")[0], values.config)[config_path.split(name)[-1]]
        config.check(values.config)
    except (flags.Error, AttributeError, LookupError, TypeError, ValueError) as error:
        raise WrongInput(error) from None
    if left:
        raise WrongInput(f"{left[0]!r} is not expected; settings are given as --config.NAME=VALUE")
    return values


def settings(job, path="config"):
    """(name, value, about) of every single setting of `job` and its parts: its type, and what its class says of it."""
    if dataclasses.is_dataclass(job):
        said = dict(re.findall(r"^    (\w+): [^#\n]*#(.*)$", inspect.getsource(type(job)), re.MULTILINE))
        for field in dataclasses.fields(job):
            value = getattr(job, field.name)
            if _is_group(value):
                yield from settings(value, f"{path}.{field.name}")
            else:
                kind = field.type.__name__ if isinstance(field.type, type) else str(field.type)
                kind = re.sub(r"mathjax\.config\.(\w+\.)?", "", kind)
                about = kind + ("," + said[field.name] if field.name in said else "")
                yield f"{path}.{field.name}", value, about
    else:
        for i, part in enumerate(job):
            yield from settings(part, f"{path}[{i}]")


def _main(argv, doc, jobs):
    if {"--help", "-help", "-h", "--helpfull", "--helpshort"} & set(argv[1:]):
        print(_help([argument for argument in argv if not re.match("--?h", argument)], doc, jobs))
        return 0
    values = _parsed(argv, jobs)
    job, workdir = values.config, values.workdir
    if not workdir:
        raise WrongInput("--workdir=DIR is missing: the folder for what the job writes")
    try:
        os.makedirs(workdir, exist_ok=True)
    except OSError as error:
        raise WrongInput(f"--workdir={workdir} cannot be made: {error.strerror}") from None
    try:
        with _joined(values) if isinstance(job, TOGETHER) else contextlib.nullcontext():
            jobs[type(job)](job, workdir)
    except (OSError, ValueError, ArithmeticError, ModuleNotFoundError) as error:
        if not _speaks_for_itself(error):
            raise
        print(f"{pathlib.Path(argv[0]).name}: {error}", file=sys.stderr)
        return 1
    return 0


def _joined(values):
    """What makes this process one of several, if it is."""
    from mathjax import distributed  # JAX is imported here: after the command line was found right

    return distributed.joined(values.coordinator, values.processes, values.process)


def _speaks_for_itself(error):
    """Whether an error was raised by mathjax about what it was given, so that a traceback would only be in the way."""
    raised_in = pathlib.Path(traceback.extract_tb(error.__traceback__)[-1].filename).resolve()
    return isinstance(error, OSError) or any((CHECKOUT / name) in raised_in.parents for name in ("mathjax", "data_gen"))


def _recipe_of(arguments):
    for i, argument in enumerate(arguments):
        name, given, value = argument.lstrip("-").partition("=")
        if argument.startswith("-") and name == "config":
            return value if given else " ".join(arguments[i + 1 : i + 2])
    return None


def _settings_of(arguments):
    """(path, value or None) of each --config.path=value."""
    for argument in arguments:
        if match := re.match(r"--?(?:no)?config\.([^=]*)(?:=(.*))?", argument, re.DOTALL):
            yield match.groups()


def _without_dropped(argv):
    """The command line without its --config.LIST[i]=none, and the names of those entries."""
    drop = re.compile(r"--?config\.(.*\])=none", re.IGNORECASE)
    return [word for word in argv if not drop.fullmatch(word)], {m[1] for m in map(drop.fullmatch, argv) if m}


def _load(path, jobs):
    """The job that the recipe at `path` returns, and its docstring."""
    if not os.path.isfile(path):
        raise WrongInput(f"there is no recipe {path}\n{_list_recipes(jobs)}")
    try:
        recipe = runpy.run_path(path)
        job = recipe["get_config"]()
    except Exception as error:  # a recipe is anyone's code
        lines = [entry.lineno for entry in traceback.extract_tb(error.__traceback__) if entry.filename == path]
        where = f"{path}, line {lines[-1]}" if lines else path
        why = "it has no get_config()" if "get_config" in map(str, error.args) else f"{type(error).__name__}: {error}"
        raise WrongInput(f"{where}: not a recipe: {why}") from None
    if type(job) not in DOORS:
        kinds = ", ".join(f"config.{kind.__name__}" for kind in DOORS)
        raise WrongInput(f"{path}: not a recipe: get_config() must return one of {kinds}; got {job!r:.80}")
    return job, recipe["__doc__"] or ""


def _check_setting(job, name, value):
    try:
        parts = config_path.split(name)
    except ValueError:
        raise WrongInput(f"--config.{name} is not the name of a setting") from None
    holder, path = job, "config"
    for part in parts:
        if dataclasses.is_dataclass(holder):
            names = [field.name for field in dataclasses.fields(holder)]
            if part not in names:
                close = difflib.get_close_matches(str(part), names, n=1)
                hint = f" (did you mean {close[0]}?)" if close else ""
                raise WrongInput(f"{path} has no setting {part!r}{hint}; it has {', '.join(names)}")
            holder, path = getattr(holder, part), f"{path}.{part}"
        elif isinstance(holder, list):
            if not isinstance(part, int) or not 0 <= part < len(holder):
                raise WrongInput(f"{path} has no entry [{part}]; it has {len(holder)}, counted from [0]")
            holder, path = holder[part], f"{path}[{part}]"
        else:
            state = "not set in this recipe" if holder is None else f"one value, {holder!r}"
            raise WrongInput(f"{path} is {state}: it has no setting {part!r} of its own")
    if _is_group(holder) and (value or "").lower() != "none":
        inside = ", ".join(name.removeprefix(path) for name, _, _ in settings(holder, path))
        raise WrongInput(f"{path} is a group of settings; set one of them: {inside}")


def _is_group(value):
    return dataclasses.is_dataclass(value) or (
        isinstance(value, (list, tuple)) and any(dataclasses.is_dataclass(part) for part in value)
    )


def _list_recipes(jobs):
    """The recipes of the checkout that return one of `jobs`, with the first lines of their docstrings."""
    lines = []
    for path in sorted((CHECKOUT / "configs").glob("*.py")):
        try:
            job, doc = _load(os.path.relpath(path), jobs)
        except WrongInput as error:
            lines.append(f"  {error}")
        else:
            if type(job) in jobs:
                lines.append(f"  {os.path.relpath(path)}: {doc.strip().partition(chr(10))[0]}")
    return "\n".join([f"Recipes for {DOORS[next(iter(jobs))]}:", *(lines or ["  none yet"])])


def _help(argv, doc, jobs):
    recipe = _recipe_of(argv[1:])
    if recipe is None:
        return f"{doc.strip()}\n\n{_list_recipes(jobs)}\n\nWith --config=RECIPE, --help lists its settings."
    job, _ = parse(argv, jobs)
    rows = [f"  {f'--{name}={value}':<52} {about}" for name, value, about in settings(job)]
    return "\n".join([_load(recipe, jobs)[1].strip(), "", f"The settings of {recipe}:", *rows])
