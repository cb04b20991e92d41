"""Several processes that work as one: they find each other, hear of each other's end, agree, and leave together."""

import contextlib
import functools
import os
import re
import socket
import sys
import threading
import time
import traceback

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import NamedSharding, PartitionSpec

HEARTBEAT = 2.0  # seconds between two signs of life of a process
SILENCE = 16.0  # seconds without one after which it counts as lost
TELLING = 3 * HEARTBEAT  # seconds that process 0, from which all hear it, outlives the news of an end
FALLBACK = 56  # seconds after which the service of JAX ends the others, as where process 0 falls silent
JOINING = 300  # seconds that the processes wait for each other at the start
PREPARING = 24 * 3600  # seconds that process 0 may take for what the others wait for
LEAVING = 600  # seconds that they wait for each other at the end
LOST = "(ABORTED|CANCELLED|DEADLINE_EXCEEDED|FAILED_PRECONDITION|INTERNAL|UNAVAILABLE|UNKNOWN): "
LATE = "must be called before any JAX calls"  # and that this process, which was told of no others, was at work before
NOWHERE = "coordinator_address should be defined"  # how JAX says that it runs in no cluster it knows


@contextlib.contextmanager
def joined(coordinator: str = "", processes: int = 0, process: int = -1):
    """While the block runs, this process is one of several, if it was told so or finds itself in a cluster.

    The address HOST:PORT at which process 0 can be reached, the number of processes, and which of them this one is,
    come from the arguments, or else from JAX_COORDINATOR_ADDRESS, JAX_NUM_PROCESSES and JAX_PROCESS_ID, or else from
    TPU pods, Slurm, Open MPI or Kubernetes, as `jax.distributed.initialize` knows them; `processes=1` looks nowhere.
    To be entered before JAX is used. The end of one process ends all others within a minute, with a line that names it.

    ValueError for numbers that do not fit together; ConnectionError where the processes do not meet.
    """
    given = _given(coordinator, processes, process)
    if not _initialize(*given):
        yield
        return
    client, me, count = _state()
    client.key_value_set(f"mathjax/host/{me}", f"{socket.gethostname()}, pid {os.getpid()}")
    ended = threading.Event()
    watch = threading.Thread(target=_watch, args=(client, me, count, ended), daemon=True)
    watch.start()
    try:
        yield
        client.wait_at_barrier("mathjax/end", LEAVING * 1000)
    except BaseException as error:
        _give_up(client, me, error)
    ended.set()
    watch.join()
    jax.distributed.shutdown()


def first() -> bool:
    """Whether this is the process that writes and speaks for all."""
    return jax.process_index() == 0


def say(text: str):
    """Print a line, once for all processes."""
    if first():
        print(text, flush=True)


def any_of(mesh, flag: bool) -> jax.Array | bool:
    """Whether any process says so, as a number that is above 0: the same in all of them, and not waited for here.

    Every process has to ask at the same point of the program.
    """
    if jax.process_count() == 1:
        return flag
    spread = NamedSharding(mesh, PartitionSpec(mesh.axis_names))
    own = np.full(len(mesh.local_devices), flag, np.float32)
    return _summed(mesh)(jax.make_array_from_process_local_data(spread, own, (mesh.size,)))


def told(value: int) -> int:
    """The value that process 0 has, on all of them; they wait for it."""
    if jax.process_count() == 1:
        return value
    from jax.experimental import multihost_utils

    return int(multihost_utils.broadcast_one_to_all(np.int32(value)))


def after_first(make):
    """What `make()` gives: process 0 calls it first, and then the others, who find the files that it wrote."""
    client, me, _ = _state()
    if client is None:
        return make()
    made = make() if me == 0 else None
    client.wait_at_barrier("mathjax/after_first", PREPARING * 1000)
    return made if me == 0 else make()


@functools.cache
def _summed(mesh):
    return jax.jit(jnp.sum, out_shardings=NamedSharding(mesh, PartitionSpec()))


def _given(coordinator, processes, process):
    """What was told about the processes, by arguments or by the environment; None for what was not."""
    told = {
        "--coordinator": coordinator or os.environ.get("JAX_COORDINATOR_ADDRESS", ""),
        "--processes": (str(processes) if processes else "") or os.environ.get("JAX_NUM_PROCESSES", ""),
        "--process": (str(process) if process >= 0 else "") or os.environ.get("JAX_PROCESS_ID", ""),
    }
    address, count, number = told.values()
    shown = ", ".join(f"{name}={value or 'not given'}" for name, value in told.items())
    if not all(value.isdecimal() for value in (count, number) if value):
        raise ValueError(f"numbers of processes are whole and not negative; got {shown}")
    if address and not (address.rpartition(":")[0] and address.rpartition(":")[2].isdecimal()):
        raise ValueError(f"the coordinator is written HOST:PORT; got {shown}")
    if count and number and int(number) >= int(count):
        raise ValueError(f"processes are counted from 0, below their number; got {shown}")
    if count and int(count) > 1 and bool(address) != bool(number):
        raise ValueError(f"--coordinator, --processes and --process belong together; got {shown}")
    return address or None, int(count) if count else None, int(number) if number else None


def _initialize(address, count, number):
    """Join the others; False where there is nothing to join."""
    if count == 1:
        return False
    if jax.config.jax_cpu_collectives_implementation is None:
        jax.config.update("jax_cpu_collectives_implementation", "gloo")
    jax.config.update("jax_enable_preemption_service", False)  # it would take SIGTERM from whoever runs the job
    try:
        jax.distributed.initialize(
            address,
            count,
            number,
            cluster_detection_method="deactivate" if address and count and number is not None else None,
            initialization_timeout=JOINING,
            heartbeat_timeout_seconds=FALLBACK,
        )
    except ValueError as error:
        if not str(error).startswith(NOWHERE) or count or number is not None:
            raise
        return False
    except RuntimeError as error:
        if LATE in str(error) and address is None and count is None and number is None:
            return False
        where = f"process {number} of {count}" if count else "this process"
        raise ConnectionError(f"{where} did not meet the others at {address or 'their coordinator'}: {error}") from None
    return True


def _state():
    """(connection to the coordinator, number of this process, of all), which JAX tells only once devices are in use."""
    from jax._src import distributed

    state = distributed.global_state
    return state.client, state.process_id, state.num_processes


def _watch(client, me, count, ended):
    """Give signs of life, and end this process when another one is lost; process 0 listens to all."""
    heard = dict.fromkeys(range(count), ("", time.monotonic()))
    beat = 0
    while not ended.wait(HEARTBEAT):
        beat += 1
        try:
            client.key_value_set(f"mathjax/alive/{me}", str(beat), allow_overwrite=True)
            if me == 0 and (silent := _silent(client, heard)) is not None:
                host = client.blocking_key_value_get(f"mathjax/host/{silent}", 1000)
                _publish(client, f"process {silent} ({host}) gave no sign of life for {SILENCE:.0f} s")
            lost = client.key_value_dir_get("mathjax/lost/")
        except RuntimeError as error:  # of JAX: there is no coordinator any more
            if ended.is_set():
                return
            _end(f"process 0 cannot be reached: {str(error).partition(chr(10))[0]}")
        if lost:
            time.sleep(TELLING if me == 0 else 0)
            _end(lost[0][1])


def _silent(client, heard):
    """The number of a process that was not heard of for too long, or None; notes what was heard."""
    now = time.monotonic()
    for key, beat in client.key_value_dir_get("mathjax/alive/"):
        number = int(key.rpartition("/")[2])
        if heard[number][0] != beat:
            heard[number] = (beat, now)
    return next((number for number, (_, when) in heard.items() if now - when > SILENCE), None)


def _publish(client, text):
    client.key_value_set("mathjax/lost/first", text, allow_overwrite=True)


def _give_up(client, me, error):
    """End this process after an error, and tell the others.

    An error of a collective operation may only be the echo of another process's end; whoever finds that out names it.
    """
    echo = _of_a_collective(error)
    if echo:
        print(f"process {me} lost touch with another one: {str(error)[:300]}", file=sys.stderr, flush=True)
    elif isinstance(error, OSError | ValueError | ArithmeticError | ModuleNotFoundError):
        print(f"process {me}: {error}", file=sys.stderr, flush=True)
    else:
        traceback.print_exception(error)
    try:
        if echo:
            time.sleep(SILENCE + 3 * HEARTBEAT)  # the watch ends this process earlier if another one was lost
        host = client.blocking_key_value_get(f"mathjax/host/{me}", 1000)
        _publish(client, f"process {me} ({host}) ended: {type(error).__name__}: {str(error)[:500]}")
        time.sleep(TELLING if me == 0 else 0)
    finally:
        _leave(1)


def _of_a_collective(error):
    """Whether an error, or what it came from, is one that JAX's runtime raises where processes lose each other."""
    while error is not None:
        if isinstance(error, jax.errors.JaxRuntimeError) or re.match(LOST, str(error)):
            return True
        error = error.__cause__ or error.__context__
    return False


def _end(text):
    print(f"stopped: {text}; started again, the run goes on from its last checkpoint", file=sys.stderr, flush=True)
    _leave(1)


def _leave(code):
    """End at once: an ordinary end would wait for collective operations that can never be completed."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
