"""The demo's graph: started in order, watched, and ended when all is recorded."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from time import monotonic

from tqdm import tqdm

from lazy_vos_ros.cli.demo import Plan
from lazy_vos_ros.cli.monitor import Monitor
from lazy_vos_ros.cli.processes import Child
from lazy_vos_ros.cli.processes import Graph

PATIENCE = 120.0
"""Seconds for a node to be ready."""
PERSON = 60.0
"""Seconds that a person has for the last question."""
SETTLE = 20.0
"""Seconds after the last image for what is still on its way."""


def play(plan: Plan, args: argparse.Namespace, out: Path) -> None:
    """Run the graph until the clip has ended and everything of it was processed and recorded."""
    with Graph(out / 'logs') as graph, Monitor() as monitor:
        recorder = graph.start('recorder', bag=str(out / 'bag'), storage=args.storage)
        graph.start(
            'tracker_node',
            initial_click=f'{plan.click[0]:g},{plan.click[1]:g}',
            initial_label=plan.label,
            **plan.settings,
        )
        if plan.operator == 'recorded':
            graph.start('agent', clicks=plan.clicks, reaction_time=args.reaction)
        elif plan.operator == 'rviz':
            graph.start('operator')
        _await(monitor, graph, 'the tracker', monitor.tracker_listens)
        _await(monitor, graph, 'the recorder', monitor.recorder_listens)
        if plan.operator != 'none':
            _await(monitor, graph, 'the operator', monitor.operator_listens)
        camera = graph.start(
            'camera',
            source=plan.source,
            start=plan.start,
            frames=plan.frames,
            rate=float(args.rate),
            pace='rate' if args.rate else 'consumed',
            wait_for_subscribers=2,
        )
        _watch(monitor, graph, camera, plan.total)
        monitor.wait(lambda: monitor.all_processed, lambda: graph.check(may_end=camera), SETTLE)
        _await_last_answer(monitor, graph, camera, plan.operator, args.reaction)
        recorder.end()


def _await(monitor: Monitor, graph: Graph, who: str, ready: Callable[[], bool]) -> None:
    start = monotonic()
    print(f'waiting for {who} ...', end='', flush=True)
    if not monitor.wait(ready, graph.check, PATIENCE):
        raise RuntimeError(f'{who} was not ready within {PATIENCE:g} s; see the folder logs')
    print(f' {monotonic() - start:.1f} s', flush=True)


def _await_last_answer(
    monitor: Monitor, graph: Graph, camera: Child, operator: str, reaction: float
) -> None:
    """Wait a while: the last question may be answered after the last image."""
    if operator == 'none' or not monitor.question_open:
        return
    limit = PERSON if operator == 'rviz' else reaction + SETTLE
    print(f'the last question waits for its answer, for at most {limit:g} s', flush=True)
    monitor.wait(lambda: not monitor.question_open, lambda: graph.check(may_end=camera), limit)


def _watch(monitor: Monitor, graph: Graph, camera: Child, total: int | None) -> None:
    """Show progress until the camera has ended."""
    # disable=None: no bar where the output goes into a file.
    with tqdm(total=total, unit='frame', file=sys.stdout, mininterval=0.3, disable=None) as bar:
        while camera.status is None:
            monitor.wait(lambda: camera.status is not None, lambda: None, 0.2)
            graph.check(may_end=camera)
            dropped = monitor.state.dropped if monitor.state else 0
            bar.n = monitor.processed
            bar.set_postfix_str(
                f'dropped {dropped}, questions {monitor.questions}'
                + (', ASKING' if monitor.question_open else '')
            )
        graph.check(may_end=camera)
