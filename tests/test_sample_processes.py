"""One engine over two real processes gives what one process gives, in each of them."""

import json
import os
import socket
import subprocess
import sys

import pytest
from test_engine import MODEL, prompts, sharpened, short, tokens_of

from mathjax import config
from mathjax.sample.engine import Engine

SAMPLING = config.Sampling(max_tokens=10, temperature=1.5, top_p=0.9, samples=3, seed=4)


def rows(engine):
    found = {(c.request, c.sample): c for c in engine.generate(short(), SAMPLING)}
    return sorted([list(name), *map(list, [about[0]]), about[1], about[2]] for name, about in tokens_of(found).items())


def work(process, port):
    """One of two processes with two devices each."""
    import jax

    from mathjax import mesh

    jax.config.update("jax_num_cpu_devices", 2)
    jax.config.update("jax_cpu_collectives_implementation", "gloo")
    jax.distributed.initialize(f"localhost:{port}", 2, process)
    devices = mesh.make(config.Mesh(data=2, fsdp=1, tensor=2))
    engine = Engine(MODEL, sharpened(0), devices, slots=4, length=48, eos_id=(1, 7))
    print(json.dumps(rows(engine)))


@pytest.mark.timeout(240)
def test_two_processes_give_what_one_gives():
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = free.getsockname()[1]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([os.path.dirname(__file__), *sys.path])}
    command = [sys.executable, __file__]
    running = [
        subprocess.Popen(
            [*command, str(process), str(port)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
        )
        for process in range(2)
    ]
    try:
        outputs = [process.communicate(timeout=200) for process in running]
    finally:
        for process in running:
            process.kill()
    assert [process.returncode for process in running] == [0, 0], outputs
    found = [json.loads(output.splitlines()[-1]) for output, _ in outputs]
    alone = json.loads(json.dumps(rows(Engine(MODEL, sharpened(0), slots=4, length=48, eos_id=(1, 7)))))
    assert found[0] == found[1] == alone and len(alone) == 3 * len(short()) < 3 * len(prompts())


if __name__ == "__main__":
    work(int(sys.argv[1]), int(sys.argv[2]))
