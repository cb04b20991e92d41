"""The doors: what a command line becomes, and what is said of a wrong one."""

import os
import pathlib
import subprocess
import sys

import door
import pytest

from mathjax import config

SCRIPTS = pathlib.Path(door.__file__).parent
DOORS = ["make_data.py", "train.py", "evaluate.py"]
RECIPE = '''"""Three steps of nothing.

More about it.
"""

from mathjax.config import Data, Mesh, Model, Optimizer, Source, Train


def get_config():
    return Train(
        model=Model(layers=1, width=8, heads=2, kv_heads=2, head_dim=4, mlp_width=16),
        data=Data(sources=[Source(path="a.jsonl"), Source(path="b.jsonl")], rows=4, length=8),
        optimizer=Optimizer(peak=1e-3),
        mesh=Mesh(),
        steps=3,
    )
'''


@pytest.fixture
def recipe(tmp_path):
    path = tmp_path / "recipe.py"
    path.write_text(RECIPE)
    return path


def parse(*arguments):
    return door.parse(["train.py", *map(str, arguments)], {config.Train: None})


def wrong(*arguments):
    with pytest.raises(door.WrongInput) as caught:
        parse(*arguments)
    return str(caught.value)


def run(script, *arguments, **environment):
    return subprocess.run(
        [sys.executable, SCRIPTS / script, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, **environment},
    )


def test_without_overrides_the_job_is_the_recipe(recipe):
    job, workdir = parse(f"--config={recipe}", "--workdir=runs/x")
    assert isinstance(job, config.Train)
    assert (job.steps, job.data.rows, workdir) == (3, 4, "runs/x")


@pytest.mark.parametrize(
    ("override", "read", "value"),
    [
        ("--config.steps=7", lambda job: job.steps, 7),
        ("--config.optimizer.peak=2e-5", lambda job: job.optimizer.peak, 2e-5),
        ("--config.data.sources[1].path=c.jsonl", lambda job: job.data.sources[1].path, "c.jsonl"),
        ("--config.mesh.fsdp=2", lambda job: job.mesh.fsdp, 2),
        ("--config.tensorboard", lambda job: job.tensorboard, True),
        ("--config.tensorboard=false", lambda job: job.tensorboard, False),
        ("--config.heldout=none", lambda job: job.heldout, None),
    ],
)
def test_an_override_changes_its_setting(recipe, override, read, value):
    assert read(parse(f"--config={recipe}", override)[0]) == value


@pytest.mark.parametrize(
    ("override", "value"),
    [
        ("--config.protocols=strict", ["strict"]),
        ("--config.protocols=a,b", ["a", "b"]),
        ("--config.protocols=['a']", ["a"]),
    ],
)
def test_a_list_of_words_is_set_as_a_whole(recipe, override, value):
    recipe.write_text(
        "from mathjax.config import Benchmark, Evaluate\n\n\n"
        "def get_config():\n    return Evaluate(checkpoint='c', benchmarks=[Benchmark(name='n', path='p')])\n"
    )
    job, _ = door.parse(["evaluate.py", f"--config={recipe}", override], {config.Evaluate: None})
    assert job.protocols == value


ARITHMETIC = (
    "from mathjax.config import *\n\n\ndef get_config():\n    return Arithmetic(parts=[Expressions()], train=10)\n"
)


def test_a_pair_of_numbers_is_set_as_a_whole(recipe):
    recipe.write_text(ARITHMETIC)
    argv = ["make_data.py", f"--config={recipe}", "--config.parts[0].operations=(2, 4)"]
    assert door.parse(argv, {config.Arithmetic: None})[0].parts[0].operations == (2, 4)
    argv[-1] = "--config.parts[0].operations[1]=4"
    with pytest.raises(door.WrongInput, match=r"operations is one value, \(1, 3\)"):
        door.parse(argv, {config.Arithmetic: None})


@pytest.mark.parametrize(
    ("dropped", "left"),
    [([], ["a.jsonl", "b.jsonl"]), ([0], ["b.jsonl"]), ([1], ["a.jsonl"])],
)
def test_none_takes_an_entry_out_of_a_list(recipe, dropped, left):
    job, _ = parse(f"--config={recipe}", *(f"--config.data.sources[{i}]=none" for i in dropped))
    assert [source.path for source in job.data.sources] == left


def test_a_job_without_what_it_needs_is_refused_after_entries_were_taken_out(recipe):
    drops = [f"--config.data.sources[{i}]=none" for i in (0, 1)]
    assert "sources must name at least one" in wrong(f"--config={recipe}", *drops)


def test_flag_and_value_may_be_two_words(recipe):
    job, workdir = parse("--config", recipe, "--config.steps", "9", "--workdir", "there")
    assert (job.steps, workdir) == (9, "there")


@pytest.mark.parametrize(
    ("override", "message"),
    [
        (
            "--config.stepz=7",
            "config has no setting 'stepz' (did you mean steps?); it has model, pretrained, lora, tokenizer, data,",
        ),
        ("--config.optimizer.paek=1", "config.optimizer has no setting 'paek' (did you mean peak?); it has name, peak"),
        ("--config.data.sources[0].paht=a", "config.data.sources[0] has no setting 'paht' (did you mean path?)"),
        ("--config.data.sources[2].path=a", "config.data.sources has no entry [2]; it has 2, counted from [0]"),
        ("--config.data.sources[2]=none", "config.data.sources has no entry [2]; it has 2, counted from [0]"),
        ("--config.data.sources.path=a", "config.data.sources has no entry [path]"),
        ("--config.heldout.rows=2", "config.heldout is not set in this recipe"),
        ("--config.steps.more=2", "config.steps is one value, 3"),
        ("--config.data..rows=2", "--config.data..rows is not the name of a setting"),
        (
            "--config.optimizer=adamw",
            "config.optimizer is a group of settings; set one of them: .name, .peak, ",
        ),
        ("--config.data.sources=a", "config.data.sources is a group of settings; set one of them: [0].path, [0]"),
        ("--config.steps=many", "--config.steps=many: invalid literal for int()"),
        ("--config.optimizer.peak=high", "--config.optimizer.peak=high: could not convert string to float"),
        ("--config.tensorboard=maybe", "--config.tensorboard=maybe: ('Non-boolean"),
        ("--config.steps=-1", "config: steps must be positive, got -1"),
        ("--config.data.objective=some", "config.data: objective must be one of all, solution; got 'some'"),
        ("--config.steps", "Missing value for flag --config.steps"),
        ("--wrokdir=x", "Unknown command line flag 'wrokdir'. Did you mean: workdir ?"),
        ("more", "'more' is not expected"),
    ],
)
def test_a_wrong_argument_is_answered_with_what_exists(recipe, override, message):
    assert message in wrong(f"--config={recipe}", override)


def test_a_setting_before_its_recipe_is_refused(recipe):
    assert "before" in wrong("--config.steps=3", f"--config={recipe}")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("import nothing_of_this_name", "recipe.py, line 1: not a recipe: ModuleNotFoundError: No module named"),
        ("def get_config(:", "recipe.py: not a recipe: SyntaxError"),
        ("x = 3", "recipe.py: not a recipe: it has no get_config()"),
        (
            "def get_config():\n    return 3",
            "get_config() must return one of config.Arithmetic, config.GSM8KEquations,",
        ),
        ("def get_config():\n    return {}['a']", "recipe.py, line 2: not a recipe: KeyError: 'a'"),
    ],
)
def test_a_recipe_that_is_none_says_where_and_why(recipe, text, message):
    recipe.write_text(text)
    assert message in wrong(f"--config={recipe}")


def test_a_recipe_of_another_kind_of_job_names_its_door(recipe):
    with pytest.raises(door.WrongInput, match=r"recipe for scripts/train\.py"):
        door.parse(["make_data.py", f"--config={recipe}"], {config.Arithmetic: None})


def test_every_kind_of_job_has_a_door_that_exists():
    assert {SCRIPTS / pathlib.Path(name).name for name in door.DOORS.values()} <= set(SCRIPTS.iterdir())


def test_a_missing_recipe_is_answered_with_those_that_exist():
    message = wrong("--config=configs/nowhere.py")
    assert "there is no recipe configs/nowhere.py" in message
    for path in (SCRIPTS.parent / "configs").glob("*.py"):
        assert ("config.Train" in path.read_text() or "Train(" in path.read_text()) == (path.name in message)


def test_without_a_recipe_it_says_so():
    assert wrong("--workdir=x").startswith("--config=RECIPE is missing")


@pytest.mark.parametrize("script", DOORS)
def test_help_of_a_door_teaches_its_use_without_jax(script, tmp_path):
    (tmp_path / "jax.py").write_text("raise SystemExit(99)")
    done = run(script, "--help", PYTHONPATH=str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert f"python scripts/{script} --config=configs/NAME.py" in done.stdout
    assert f"Recipes for scripts/{script}:" in done.stdout


def test_help_with_a_recipe_lists_its_settings_as_the_command_line_sets_them(recipe):
    done = run("train.py", f"--config={recipe}", "--config.steps=8", "--help")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("Three steps of nothing.")
    lines = [line.split() for line in done.stdout.splitlines()]
    assert ["--config.steps=8", "int"] in lines
    assert ["--config.data.sources[1].path=b.jsonl", "str"] in lines
    assert ["--config.optimizer.warmup=0.03", "float,", "the", "share", "of", "all", "steps"] in lines


@pytest.mark.parametrize("script", DOORS)
@pytest.mark.parametrize("arguments", [[], ["--config=nowhere.py"], ["--unheard-of=1"]])
def test_wrong_input_ends_with_a_message_and_status_2(script, arguments):
    done = run(script, *arguments)
    assert done.returncode == 2
    assert done.stderr.startswith(f"{script}: ")
    assert "Traceback" not in done.stderr


def test_wrong_settings_are_found_before_jax_is_imported(recipe, tmp_path):
    (tmp_path / "jax.py").write_text("raise SystemExit(99)")
    done = run("train.py", f"--config={recipe}", "--config.model.heads=3", "--workdir=x", PYTHONPATH=str(tmp_path))
    assert done.returncode == 2
    assert "heads=3 must be a multiple of kv_heads=2" in done.stderr


def through_the_door(monkeypatch, recipe, workdir, job):
    """The exit status of a door whose job is `job(job, workdir)`."""
    monkeypatch.setattr(sys, "argv", ["train.py", f"--config={recipe}", f"--workdir={workdir}"])
    with pytest.raises(SystemExit) as caught:
        door.main("", {config.Train: job})
    return caught.value.code


def test_a_job_that_ends_well_has_status_0_and_its_folder(monkeypatch, recipe, tmp_path):
    seen = []
    workdir = tmp_path / "runs" / "deep"
    assert through_the_door(monkeypatch, recipe, workdir, lambda job, folder: seen.append((job.steps, folder))) == 0
    assert seen == [(3, str(workdir))]
    assert workdir.is_dir()


def test_a_folder_that_cannot_be_made_is_wrong_input(monkeypatch, recipe, capsys):
    assert through_the_door(monkeypatch, recipe, recipe / "inside", None) == 2
    assert "cannot be made" in capsys.readouterr().err


def test_without_a_folder_nothing_starts(recipe):
    done = run("train.py", f"--config={recipe}")
    assert done.returncode == 2
    assert "--workdir=DIR is missing" in done.stderr


def test_an_interrupted_job_says_one_line_and_has_status_130(monkeypatch, recipe, tmp_path, capsys):
    def job(job, workdir):
        raise KeyboardInterrupt

    assert through_the_door(monkeypatch, recipe, tmp_path, job) == 130
    assert capsys.readouterr().err.strip().count("\n") == 0


@pytest.mark.parametrize(
    "job",
    [
        lambda job, workdir: open("/nowhere/data.jsonl"),
        lambda job, workdir: config.from_dict(config.Mesh, {"rows": 3}),  # ValueError from mathjax itself
    ],
)
def test_a_job_that_fails_for_what_it_was_given_says_only_that(monkeypatch, recipe, tmp_path, capsys, job):
    assert through_the_door(monkeypatch, recipe, tmp_path, job) == 1
    message = capsys.readouterr().err
    assert message.startswith("train.py: ")
    assert "Traceback" not in message


def test_a_fault_of_the_code_keeps_its_traceback(monkeypatch, recipe, tmp_path):
    def job(job, workdir):
        int("three")

    monkeypatch.setattr(sys, "argv", ["train.py", f"--config={recipe}", f"--workdir={tmp_path}"])
    with pytest.raises(ValueError, match="invalid literal"):
        door.main("", {config.Train: job})


def test_a_process_of_several_is_told_apart_by_flags_where_jobs_are_shared(recipe, tmp_path):
    alone = run("train.py", f"--config={recipe}", f"--workdir={tmp_path / 'run'}", "--processes=2", "--process=0")
    assert alone.returncode == 1 and "belong together; got --coordinator=not given, --processes=2" in alone.stderr
    wanted = wrong(f"--config={recipe}", "--processes=two")
    assert "processes" in wanted
    assert "processes" in wrong(f"--config={recipe}", "--processes=-1")


def test_a_job_that_is_not_shared_takes_no_number_of_processes():
    arithmetic = pathlib.Path(door.CHECKOUT) / "configs" / "quickstart_data.py"
    with pytest.raises(door.WrongInput, match="coordinator"):
        door.parse(["make_data.py", f"--config={arithmetic}", "--coordinator=h:1"], {config.Arithmetic: None})
