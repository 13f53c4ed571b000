"""A camera, a tracker that can be made to fail, and what an operator sees of them."""

import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from time import monotonic
from time import sleep
from typing import Any

import cv2
from diagnostic_msgs.msg import DiagnosticArray
from diagnostic_msgs.msg import DiagnosticStatus
from lazy_vos_msgs.msg import CorrectionEvent
from lazy_vos_msgs.msg import TrackingState
from sensor_msgs.msg import Image

from benchmarks.faults.row import WrongError
from benchmarks.live_graph import Camera
from benchmarks.live_graph import Graph
from benchmarks.live_graph import Process
from lazy_vos_ros.nodes.qos import EVENTS

LEVELS = {
    DiagnosticStatus.OK: 'OK',
    DiagnosticStatus.WARN: 'WARN',
    DiagnosticStatus.ERROR: 'ERROR',
}
KINDS = {
    getattr(CorrectionEvent, name): name
    for name in dir(CorrectionEvent)
    if name.isupper() and isinstance(getattr(CorrectionEvent, name), int)
}
PERIOD = 0.1
"""Seconds between two images while it is waited for masks."""


class Robot:
    """A tracker that follows a moving square, fed image by image."""

    def __init__(self, graph: Graph, **parameters: Any) -> None:
        self.graph = graph
        self.camera = Camera(graph)
        self.parameters = parameters
        self._faults = graph.folder / 'faults.json'
        self._mask = graph.folder / 'first.png'
        self.camera.count = 1
        cv2.imwrite(str(self._mask), self.camera.mask().astype('uint8'))
        self.camera.count = 0
        self.masks = graph.collect(Image, 'lazy_vos/mask')
        self.states = graph.collect(TrackingState, 'lazy_vos/tracking_state')
        self.events = graph.collect(CorrectionEvent, 'lazy_vos/correction_event', EVENTS)
        self.reports = graph.collect(DiagnosticArray, '/diagnostics')
        self.tracker = self.start()

    def start(self) -> Process:
        """Start the tracker, with the square of its first image as its object."""
        os.environ['LAZY_VOS_FAULTS'] = str(self._faults)
        self.tracker = self.graph.start(
            'faulty_tracker.py',
            initial_mask=self._mask,
            initial_label='box',
            **self.parameters,
        )
        return self.tracker

    def fail(self, **faults: Any) -> None:
        """Let the network and the refiner fail from the next image on; nothing: no more."""
        new = self._faults.with_suffix('.new')
        new.write_text(json.dumps(faults))
        new.replace(self._faults)

    def recover(self, publish: Callable[[], Any] | None = None, patience: float = 60.0) -> float:
        """Return the seconds until a mask comes of an image that is published from now on."""
        publish = publish or self.camera.publish
        begin, stamps = monotonic(), []
        while True:
            stamps.append(publish().header.stamp)
            due = begin + PERIOD * len(stamps)
            while monotonic() < due:
                if any(mask.header.stamp in stamps for mask in self.masks[-30:]):
                    return monotonic() - begin
                sleep(0.002)
            if monotonic() - begin > patience:
                raise WrongError(f'no mask within {patience:g} s:\n{self.tracker.output}')

    def track(self, count: int = 1, **changes: Any) -> list[TrackingState]:
        """Publish images, each when the one before was processed; return their states."""
        found = []
        for _ in range(count):
            stamp = self.camera.publish(**changes).header.stamp
            self.until(
                lambda stamp=stamp: any(item.header.stamp == stamp for item in self.states[-9:]),
                'an image is processed',
            )
            found.append(self.states[-1])
        return found

    def until(self, condition: Callable[[], Any], what: str) -> None:
        """Wait until a condition holds."""
        self.graph.until(condition, what)

    def logged(self, pattern: str) -> str:
        """Wait for a line of the tracker's log; return it; WrongError if it came twice."""
        return logged_once(self.graph, self.tracker, pattern)

    def judged(self, pattern: str, level: str = 'WARN', *, silent: bool = False) -> str:
        """Publish images, unless silent, until /diagnostics tells something; return it."""
        found: list[str] = []
        next_image = monotonic()

        def told() -> bool:
            nonlocal next_image
            if not silent and monotonic() >= next_image:
                self.camera.publish()
                next_image = monotonic() + PERIOD
            found[:] = [words for words in self.judgements() if re.search(pattern, words)]
            return any(words.startswith(level) for words in found)

        self.until(told, f'/diagnostics tells {level} {pattern!r}')
        return next(words for words in found if words.startswith(level))

    def judgements(self) -> list[str]:
        """Return all levels and messages of the tracker so far."""
        name = f'{self.graph.namespace}/lazy_vos: tracker'.lstrip('/')
        return [
            f'{LEVELS[status.level]}, "{status.message}"'
            for report in tuple(self.reports)
            for status in report.status
            if status.name == name
        ]

    def told(self, *kinds: int) -> bool:
        """Whether events of all these kinds have come."""
        return set(kinds) <= {event.kind for event in tuple(self.events)}

    @property
    def ids(self) -> list[int]:
        """Ids of the objects in the newest state."""
        return [item.id for item in self.states[-1].objects]


def logged_once(graph: Graph, process: Process, pattern: str) -> str:
    """Wait for a line of a process's log and return it; WrongError if it came more than once."""
    graph.until(lambda: re.search(pattern, process.output), f'{pattern!r} is logged')
    lines = [line for line in process.output.splitlines() if re.search(pattern, line)]
    if len(lines) > 1:
        raise WrongError(f'{pattern!r} was logged {len(lines)} times:\n' + '\n'.join(lines[:5]))
    return words_of(lines[0])


def words_of(line: str) -> str:
    """Return a line of a log without time and node, and without folders of this run."""
    words = re.sub(r'^\[(\w+)\] \[[\d.]+\] \[[^]]*\]: ', r'\1: ', line)
    return re.sub(r'/(?:tmp|var)/\S*/', '…/', words)[:220]


def used_folder(path: Path) -> Path:
    """Make a folder and return it."""
    path.mkdir(parents=True, exist_ok=True)
    return path
