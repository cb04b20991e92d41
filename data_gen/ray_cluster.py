"""Shards on a Ray cluster that is there: as on one machine, but any of its nodes may make them, and may be lost.

The folder of the work, and what it reads, have to lie where every node finds them under the same path.
"""

import logging
import pathlib
from collections.abc import Callable, Iterator
from typing import Any

TRIES = 4  # of a shard whose node or process was lost


def made(make: Callable[[Any, pathlib.Path], dict], places: dict[str, Any], workdir) -> Iterator[tuple[str, dict]]:
    """(name, facts) of each shard when it is done, from `make(place, path)` on the cluster of RAY_ADDRESS or this node.

    One shard a CPU at a time. A lost node costs the shards that it was making, which other nodes make again; a shard
    lost TRIES times is a ChildProcessError. ConnectionError where there is no cluster.
    """
    import ray
    from ray.exceptions import RayTaskError, TaskUnschedulableError, WorkerCrashedError

    joined, waiting, running = ray.is_initialized(), list(places), {}
    if not joined:
        ray.init(address="auto", log_to_driver=False, logging_level=logging.ERROR)
    try:
        task = ray.remote(_call).options(num_cpus=1, max_retries=TRIES - 1)
        room = 2 * max(1, int(ray.cluster_resources().get("CPU", 1)))  # so that no node waits for the next
        while waiting or running:
            while waiting and len(running) < room:
                name = waiting.pop(0)
                running[task.remote(make, places[name], workdir / name)] = name
            for done in ray.wait(list(running))[0]:
                name = running.pop(done)
                try:
                    yield name, ray.get(done)
                except RayTaskError as error:
                    _raise(error.cause, workdir / name)
                except (WorkerCrashedError, TaskUnschedulableError) as error:
                    raise ChildProcessError(f"{workdir / name}: lost {TRIES} times: {error}") from None
    finally:
        for shard in running:
            ray.cancel(shard, force=True)
        if not joined:
            ray.shutdown()


def _call(make, place, path):
    return make(place, path)


def _raise(error, path):
    if isinstance(error, ValueError | OSError):
        raise ValueError(f"{path}: {error}") from error
    raise RuntimeError(f"{path}: {type(error).__name__}: {error}") from error
