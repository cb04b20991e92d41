"""Shards on a Ray cluster that is there: as on one machine, but any of its nodes may make them, and may be lost.

They are made by a process each, on any core (`made`), or by one process a host, which keeps a model open (`hosted`).

The folder of the work, and what it reads, have to lie where every node finds them under the same path.
"""

import contextlib
import logging
import pathlib
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

TRIES = 4  # of a shard whose node or process was lost
LOOK = 5  # seconds after which hosts that joined are looked for
ACCELERATORS = ("GPU", "TPU")  # as Ray counts them


def made(make: Callable[[Any, pathlib.Path], dict], places: dict[str, Any], workdir) -> Iterator[tuple[str, dict]]:
    """(name, facts) of each shard when it is done, from `make(place, path)` on the cluster of RAY_ADDRESS or this node.

    One shard a CPU at a time. A lost node costs the shards that it was making, which other nodes make again; a shard
    lost TRIES times is a ChildProcessError. ConnectionError where there is no cluster.
    """
    import ray
    from ray.exceptions import RayTaskError, TaskUnschedulableError, WorkerCrashedError

    waiting, running = list(places), {}
    with _joined():
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


def hosted(opened: Callable[[], Any], places: dict[str, Any], workdir: pathlib.Path) -> Iterator[tuple[str, dict]]:
    """(name, facts) of each shard when it is done, as `made`; by one process on each host of the cluster.

    `with opened() as make` is begun once in each of these processes, which has all accelerators of its host, and makes
    one shard at a time. Hosts are the nodes with accelerators, or all where there are none; one that joins takes part.
    A lost one costs the shard it was making, which another makes again.
    """
    import ray
    from ray.exceptions import RayActorError, RayTaskError

    waiting, tries = list(places), Counter()
    hosts: dict[str, Any] = {}  # by node
    running: dict[Any, tuple[str, str]] = {}  # (shard, node) by what it will come to
    with _joined():
        try:
            while waiting or running:
                for node, options in _nodes().items():
                    if node not in hosts and waiting:
                        hosts[node] = ray.remote(_Host).options(**options).remote(opened)
                busy = {node for _, node in running.values()}
                for node in [node for node in hosts if node not in busy][: len(waiting)]:
                    name = waiting.pop(0)
                    running[hosts[node].make.remote(places[name], workdir / name)] = name, node
                for done in ray.wait(list(running), timeout=LOOK)[0]:
                    name, node = running.pop(done)
                    try:
                        yield name, ray.get(done)
                    except RayTaskError as error:
                        _raise(error.cause, workdir / name)
                    except RayActorError as error:
                        del hosts[node]
                        waiting.insert(0, name)
                        tries[name] += 1
                        if tries[name] == TRIES:
                            raise ChildProcessError(f"{workdir / name}: lost {TRIES} times: {error}") from None
        finally:
            for host in hosts.values():
                ray.kill(host)


class _Host:
    """What is open in the process of a host."""

    def __init__(self, opened):
        self.stack = contextlib.ExitStack()
        self.task = self.stack.enter_context(opened())

    def make(self, place, path):
        return self.task(place, path)


def _nodes():
    """The options of a process on each host that is there."""
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    alive = {node["NodeID"]: node["Resources"] for node in ray.nodes() if node["Alive"]}
    fast = {node: has for node, has in alive.items() if any(has.get(kind) for kind in ACCELERATORS)}
    found = {}
    for node, has in (fast or alive).items():
        if fast or has.get("CPU"):
            found[node] = {
                "num_cpus": min(1, has.get("CPU", 0)),
                "num_gpus": has.get("GPU", 0),
                "resources": {kind: has[kind] for kind in ACCELERATORS if kind != "GPU" and has.get(kind)},
                "scheduling_strategy": NodeAffinitySchedulingStrategy(node, soft=False),
            }
    return found


@contextlib.contextmanager
def _joined():
    """The cluster of RAY_ADDRESS or of this node, joined while the block runs."""
    import ray

    joined = ray.is_initialized()
    if not joined:
        ray.init(address="auto", log_to_driver=False, logging_level=logging.ERROR)
    try:
        yield
    finally:
        if not joined:
            ray.shutdown()


def _call(make, place, path):
    return make(place, path)


def _raise(error, path):
    if isinstance(error, ValueError | OSError):
        raise ValueError(f"{path}: {error}") from error
    raise RuntimeError(f"{path}: {type(error).__name__}: {error}") from error
