"""How each node ends: in time, with status 0, and without leaving files in shared memory."""

import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from time import process_time
from time import sleep
from typing import Any

from benchmarks.faults.row import Row
from benchmarks.faults.row import WrongError
from benchmarks.faults.row import check
from benchmarks.live_graph import PATIENCE
from benchmarks.live_graph import Graph
from benchmarks.live_graph import Process

LIMIT = 2.0
"""Seconds in which a node ends."""
SHARED_MEMORY = Path('/dev/shm')
SIGNALS = {
    'SIGINT': (signal.SIGINT,),
    'SIGINT twice': (signal.SIGINT, signal.SIGINT),
    'SIGTERM': (signal.SIGTERM,),
}


@dataclass(frozen=True)
class End:
    """How a process ended."""

    seconds: float
    cpu: float
    """Seconds of a core that it used for it: on a busy machine these tell more."""
    status: int
    left: tuple[str, ...]
    """Files in shared memory that it had mapped and left there."""


def end(process: Process, signals: tuple[int, ...], pause: float = 0.1) -> End:
    """Send signals and wait; return how it ended."""
    mapped = mapped_files(process.popen.pid)
    begin, used = monotonic(), _cpu_seconds(process.popen.pid)
    for number in signals:
        if process.popen.poll() is None:
            process.popen.send_signal(number)
            sleep(pause if len(signals) > 1 else 0)
    status, total = _wait(process)
    seconds = monotonic() - begin
    left = tuple(sorted(name for name in mapped if (SHARED_MEMORY / name).exists()))
    return End(seconds, total - used, status, left)


def _cpu_seconds(pid: int) -> float:
    fields = Path(f'/proc/{pid}/stat').read_text().rpartition(')')[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf('SC_CLK_TCK')


def _wait(process: Process) -> tuple[int, float]:
    """Wait for a process; return its exit status and the seconds of a core that it used in all."""
    give_up = monotonic() + PATIENCE
    while monotonic() < give_up:
        pid, status, usage = os.wait4(process.popen.pid, os.WNOHANG)
        if pid:
            process.popen.returncode = os.waitstatus_to_exitcode(status)
            return process.popen.returncode, usage.ru_utime + usage.ru_stime
        sleep(0.005)
    raise WrongError(f'it did not end in {PATIENCE:g} s:\n{process.output}')


def slowness() -> float:
    """Return how much longer everything takes on this machine now than on one that is idle."""
    begin, used = monotonic(), process_time()
    while process_time() < used + 0.05:
        pass
    return max(1.0, (monotonic() - begin) / 0.05)


def mapped_files(pid: int) -> set[str]:
    """Return the names of the files of shared memory that only this process has made.

    Fast DDS names the segment and the port of a process; ports of a domain that others have
    mapped, too, are not its own.
    """
    return _mapped(pid) - {name for other in _others(pid) for name in _mapped(other)}


def _mapped(pid: int) -> set[str]:
    try:
        lines = Path(f'/proc/{pid}/maps').read_text().splitlines()
    except OSError:
        return set()
    paths = {line.split()[-1] for line in lines if str(SHARED_MEMORY) in line}
    return {Path(path).name for path in paths if 'fastrtps' in path}


def _others(pid: int) -> list[int]:
    return [int(name) for name in os.listdir('/proc') if name.isdigit() and int(name) != pid]


def check_end(name: str, ended: End, slower: float, output: str) -> None:
    """Raise WrongError if a process did not end as it should on a machine so much slower."""
    check(ended.status == 0, f'{name}: exit status {ended.status}\n{output}')
    check(ended.seconds < LIMIT * slower, f'{name}: ended after {ended.seconds:.2f} s\n{output}')
    check(not ended.left, f'{name}: left {", ".join(ended.left)} in shared memory')
    for words in ('Traceback', 'terminate called', 'core dumped'):
        if words in output:
            raise WrongError(f'{name}: {words}\n{output}')


Starter = Callable[[Graph], Process]


def starters(graph: Graph, clip: Path, masks: Path, first: Path) -> dict[str, Starter]:
    """Return what starts each node with something to do; `clip` is a folder of images."""

    def node(module: str, **parameters: Any) -> Starter:
        return lambda on: on.start(f'lazy_vos_ros.nodes.{module}', **parameters)

    bags = (graph.folder / f'bag_{number}' for number in range(1000))
    return {
        'lazy_vos': lambda on: on.start(
            'small_tracker.py',
            initial_mask=first,
            state_file=graph.folder / 'state.safetensors',
            keep_state=True,
        ),
        'lazy_vos_operator': node('operator', web__port=0),
        'lazy_vos_agent': node('agent', masks=masks),
        'lazy_vos_camera': node('camera', source=clip, rate=20.0, loop=True),
        'lazy_vos_recorder': lambda on: on.start(
            'lazy_vos_ros.nodes.recorder', bag=next(bags), storage='mcap'
        ),
    }


READY = {
    'lazy_vos': 'active; waiting for images',
    'lazy_vos_operator': '',
    'lazy_vos_agent': '',
    'lazy_vos_camera': '',
    'lazy_vos_recorder': 'recording',
}
"""What each says once it is at work."""


def wait_until_ready(graph: Graph, name: str, process: Process) -> None:
    """Wait until a node is in the graph and at work."""
    there = lambda: name in graph.node.get_node_names() and READY[name] in process.output  # noqa: E731
    graph.until(there, f'{name} is at work')


def row(graph: Graph, name: str, starter: Starter) -> Row:
    """End a node by each signal; return how long that took."""
    told, slower = [], []
    for how, numbers in SIGNALS.items():
        process = starter(graph)
        graph.processes.remove(process)
        wait_until_ready(graph, name, process)
        sleep(1.0)
        slower.append(slowness())
        ended = end(process, numbers)
        check_end(f'{name}, {how}', ended, max(slower), process.output)
        told.append(f'{how}: {ended.seconds:.2f} s, {ended.cpu:.2f} s of CPU')
    return Row(
        f'`{name}` is told to end',
        ', '.join(SIGNALS),
        f'ends with status 0 ({"; ".join(told)}; everything took {max(slower):.0f} times as '
        'long as on an idle core) and leaves nothing in shared memory',
        (),
        flow='it ends',
    )
