"""Measure the way of images through ROS: a camera process and a tracker process over DDS.

The tracker process is the real node with a backend that costs nothing (all is background); what
its time step still takes (entropy, bookkeeping) is measured by the node and taken off.
"""

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict
from dataclasses import dataclass
from typing import Any

from lazy_vos_ros.cli.latency.camera import Camera
from lazy_vos_ros.cli.latency.usage import Usage
from lazy_vos_ros.cli.latency.usage import usage_of
from lazy_vos_ros.evaluation.speed.figures import percentiles

SIZES = ((640, 480), (1280, 720), (1920, 1080))
RATES = (30.0, 60.0)
PATIENCE = 10.0
"""Seconds that the tracker has to end."""


@dataclass(frozen=True)
class RosCase:
    """One row: images of one size at one rate."""

    width: int
    height: int
    rate: float
    """Images a second."""
    frames: int

    @property
    def words(self) -> str:
        """The row for people."""
        return f'{self.width}x{self.height} at {self.rate:g} Hz'

    @property
    def expected(self) -> float:
        """Seconds that it takes, roughly."""
        return self.frames / self.rate + 7.0

    def record(self) -> dict[str, Any]:
        """Return it as it stands in a file."""
        return asdict(self)


def measure_way(
    case: RosCase, on_frame: Callable[[int], None] = lambda done: None
) -> dict[str, Any]:
    """Run both processes and return the figures; times in milliseconds.

    Raises
    ------
    RuntimeError
        If the tracker does not start.
    """
    domain = 1 + os.getpid() % 100
    tracker = subprocess.Popen(
        [sys.executable, '-m', 'lazy_vos_ros.cli.latency.tracker'],
        env={**os.environ, 'ROS_DOMAIN_ID': str(domain), 'RCUTILS_LOGGING_SEVERITY': 'WARN'},
    )

    def check() -> None:
        if tracker.poll() is not None:
            raise RuntimeError(f'the tracker ended with status {tracker.returncode}')

    try:
        with Camera(case.width, case.height, domain) as camera:
            camera.wait(check)
            before = usage_of(tracker.pid)
            camera.send(case.frames, case.rate, on_frame)
            after = usage_of(tracker.pid)
    finally:
        _end(tracker)
    return figures(camera, before, after)


def _end(process: 'subprocess.Popen[bytes]') -> None:
    process.terminate()
    try:
        process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def figures(camera: Camera, before: Usage, after: Usage) -> dict[str, Any]:
    """Return what was measured, with what the tracker used from `before` to `after`."""
    steps = {
        stamp: 1e-3 * (state.predict_ms + state.lazy_ms + state.refine_ms + state.commit_ms)
        for stamp, state in camera.states.items()
    }
    published = [1e-3 * state.latency_ms - steps[stamp] for stamp, state in camera.states.items()]
    arrived = [camera.arrivals[item] - steps[item] for item in camera.arrivals if item in steps]

    def told(name: str) -> int:
        return int(camera.diagnostics.get(name, 0))

    processed = told('images processed')
    each = max(1, processed)
    return {
        'received': told('images received'),
        'processed': processed,
        'replaced': told('images dropped'),
        'masks': len(camera.arrivals),
        'camera_ms': percentiles(camera.publishing),
        'step_ms': percentiles(list(steps.values())),
        'published_ms': percentiles(published),
        'arrived_ms': percentiles(arrived),
        'cpu_ms': round(1e3 * (after.seconds - before.seconds) / each, 3),
        'faults': round((after.faults - before.faults) / each, 1),
    }
