"""Faults of what a node is started with."""

import re
from pathlib import Path
from time import monotonic
from typing import Any

import torch
from rcl_interfaces.msg import Parameter
from rcl_interfaces.msg import ParameterType
from rcl_interfaces.msg import ParameterValue
from rcl_interfaces.srv import SetParametersAtomically

from benchmarks.faults.robot import Robot
from benchmarks.faults.robot import logged_once
from benchmarks.faults.row import Row
from benchmarks.faults.row import check
from benchmarks.live_graph import ROOT
from benchmarks.live_graph import Graph

WEIGHTS = ROOT / 'weights'
ENDS = 'it ends with status 1 after {:.1f} s'


class Harmful:
    """Makes a file when it is unpickled, as an attacker's checkpoint might do worse."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> tuple[Any, tuple[Path]]:
        return Path.touch, (self.trace,)


def checkpoint(graph: Graph, kind: str) -> Row:
    """Start the tracker with weights that it must refuse."""
    path, trace = graph.folder / f'{kind}.pth', graph.folder / 'trace'
    made, pattern = _make(kind, path, trace)
    seconds, log = _refused(graph, pattern, weights=path)
    check(not trace.exists(), 'the code of a checkpoint was run')
    return Row(
        f'checkpoint: {kind}',
        made,
        'does not start; a launch file tries again every 2 s'
        + ('; no code of the file is run' if kind == 'malicious pickle' else ''),
        (),
        log,
        flow=ENDS.format(seconds),
        lost='tracking, until it is mended',
    )


CHECKPOINTS = ('missing', 'truncated', 'of another model', 'malicious pickle')


def _make(kind: str, path: Path, trace: Path) -> tuple[str, str]:
    """Write a checkpoint; return how it was made, and what is to be logged."""
    if kind == 'missing':
        return 'a name that does not exist', path.name
    if kind == 'truncated':
        whole = (WEIGHTS / 'compact_tracker.safetensors').read_bytes()
        path.write_bytes(whole[: len(whole) // 2])
        return 'the first half of the compact model', 'cannot (configure|start)'
    if kind == 'of another model':
        torch.save({'layer.weight': torch.zeros(3, 3)}, path)
        return "another network's weights", 'cannot (configure|start)'
    torch.save({'weights': Harmful(trace)}, path)
    return 'a pickle that makes a file when it is loaded', 'cannot (configure|start)'


def parameters_at_start(graph: Graph) -> Row:
    """Start the tracker with a threshold below its range."""
    seconds, log = _refused(graph, 'tau_u', tau_u=-1.0)
    return Row(
        'parameter out of range at start',
        '`-p tau_u:=-1.0`',
        'does not start, and names parameter, value and range',
        (),
        log,
        flow=ENDS.format(seconds),
        lost='tracking, until it is mended',
    )


def parameters_while_running(robot: Robot) -> Row:
    """Set a threshold below its range while images come."""
    value = ParameterValue(type=ParameterType.PARAMETER_DOUBLE, double_value=-1.0)
    result = robot.graph.call(
        SetParametersAtomically,
        'lazy_vos/set_parameters_atomically',
        parameters=[Parameter(name='tau_u', value=value)],
    ).result
    check(not result.successful, 'a threshold below its range was taken')
    check('tau_u' in result.reason, f'the reason is {result.reason!r}')
    seconds = robot.recover()
    return Row(
        'parameter out of range while running',
        '`ros2 param set /lazy_vos tau_u -1.0`',
        f'refuses it ("{result.reason}"); the next mask came after {seconds:.2f} s',
        (),
    )


def _refused(graph: Graph, pattern: str, **parameters: Any) -> tuple[float, str]:
    begin = monotonic()
    process = graph.start('lazy_vos_ros.nodes.tracker_node', **parameters)
    graph.processes.remove(process)
    status = process.wait()
    seconds = monotonic() - begin
    check(status == 1, f'exit status {status}:\n{process.output}')
    return seconds, logged_once(graph, process, re.compile(pattern).pattern)
