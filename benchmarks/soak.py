"""A long run of the tracker: memory, handles, threads, latency and memory elements over time.

Objects come and go, questions are answered late, skipped or left to expire, and every now and then
an answer is followed by a replay. Nothing may grow.

Example: ``python -m benchmarks.soak --frames 100000 --out out/soak.json --picture out/soak.png``
"""

import argparse
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from dataclasses import dataclass
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from benchmarks.soak_people import Director
from benchmarks.soak_people import HelpedRefiner
from benchmarks.soak_people import Person
from benchmarks.soak_report import growth
from benchmarks.soak_report import save_picture
from benchmarks.soak_scene import SoakScene
from lazy_vos_ros.engine.backend import Image
from lazy_vos_ros.engine.build import make_backend
from lazy_vos_ros.engine.build import tracker_entry
from lazy_vos_ros.engine.config import PROFILES
from lazy_vos_ros.engine.prompts import Prompt
from lazy_vos_ros.engine.refiners import make_refiner
from lazy_vos_ros.engine.results import FrameResult
from lazy_vos_ros.engine.tracker import LazyTracker
from lazy_vos_ros.engine.xmem.config import XMemConfig
from lazy_vos_ros.evaluation.speed.memory_use import resident_mib

RATE = 30.0
"""Frames per second of stream time."""
REPLAY_SPAN = 2000
"""Frames after which the way of late answers changes: one span of five with replays."""


@dataclass(frozen=True)
class Sample:
    """What was seen at the end of one window of frames."""

    frame: int
    seconds: float
    resident_mib: float
    handles: int
    threads: int
    cpu_ms_p50: float
    cpu_ms_p99: float
    wall_ms_p50: float
    wall_ms_p99: float
    working: int
    long_term: int
    memory_bytes: int
    objects: int
    open_questions: int


class Soak:
    """One tracker with its scene and its people."""

    def __init__(self, tracker: LazyTracker, scene: SoakScene) -> None:
        self._tracker = tracker
        self._scene = scene
        self._director = Director(len(scene.actors))
        self._person = Person()
        self._events: Counter[str] = Counter()

    @property
    def counts(self) -> dict[str, dict[str, int]]:
        """How often what happened: objects, the person's part, the tracker's events."""
        counters = {
            'objects': self._director.counts,
            'person': self._person.counts,
            'events': self._events,
        }
        return {name: dict(sorted(counter.items())) for name, counter in counters.items()}

    def run(self, frames: int, window: int) -> Iterator[Sample]:
        """Track through `frames` frames; yield a sample after each window of them."""
        start = time.monotonic()
        cpu, wall = [], []
        for index in range(frames):
            cpu_before, wall_before = time.thread_time(), time.monotonic()
            self._one_frame(index)
            cpu.append(1e3 * (time.thread_time() - cpu_before))
            wall.append(1e3 * (time.monotonic() - wall_before))
            if (index + 1) % window == 0:
                yield self._sample(index + 1, time.monotonic() - start, cpu, wall)
                cpu, wall = [], []

    def _one_frame(self, index: int) -> None:
        if index % REPLAY_SPAN == 0:
            late = 'replay' if index // REPLAY_SPAN % 5 == 4 else 'memory'
            self._tracker.configure(replace(self._tracker.config, late=late))
        image, masks = self._scene.render(index)
        self._person.speak(self._tracker, index)
        self._tracker.catch_up()
        arrivals = self._director.direct(self._tracker, index, masks)
        if arrivals:
            result = self._add(image, arrivals, index / RATE)
        else:
            result = self._tracker.step(image, index / RATE)
        for request in result.requests:
            self._person.hear(request, masks[self._director.tracked[request.object_id]], index)
        self._events.update(event.kind.value for event in result.events)

    def _add(self, image: Image, arrivals: list[tuple[int, Prompt]], stamp: float) -> FrameResult:
        before = set(self._tracker.object_ids)
        try:
            result = self._tracker.add_objects(image, [prompt for _, prompt in arrivals], stamp)
        except ValueError:
            # A click gave no usable mask; the frame was tracked through all the same.
            latest = self._tracker.latest
            if latest is None:
                raise
            return latest
        new = [item for item in self._tracker.object_ids if item not in before]
        self._director.note_added(new, [actor for actor, _ in arrivals])
        return result

    def _sample(self, frame: int, seconds: float, cpu: list[float], wall: list[float]) -> Sample:
        size = self._tracker.memory_size()
        return Sample(
            frame=frame,
            seconds=round(seconds, 1),
            resident_mib=round(resident_mib(), 2),
            handles=len(os.listdir('/proc/self/fd')),
            threads=len(os.listdir('/proc/self/task')),
            cpu_ms_p50=round(float(np.percentile(cpu, 50)), 2),
            cpu_ms_p99=round(float(np.percentile(cpu, 99)), 2),
            wall_ms_p50=round(float(np.percentile(wall, 50)), 2),
            wall_ms_p99=round(float(np.percentile(wall, 99)), 2),
            working=size.working,
            long_term=size.long_term,
            memory_bytes=size.nbytes,
            objects=len(self._tracker.object_ids),
            open_questions=len(self._tracker.open_requests),
        )


def compact_tracker(settings: XMemConfig) -> tuple[LazyTracker, str]:
    """Return the compact tracker as a robot runs it (profile `live`), and which weights it has."""
    entry = tracker_entry('compact')
    backend = make_backend('compact', device='cpu', settings=settings)
    refiner = HelpedRefiner(make_refiner('auto', backend=backend, device='cpu'), radius=6)
    config = replace(PROFILES['live'], **entry.thresholds, questions_per_minute=600.0)
    return LazyTracker(backend, refiner, config), f'{backend.name}, SHA-256 {entry.sha256}'


def main() -> int:
    """Run, write the samples every now and then, and print what has grown."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--frames', type=int, default=100_000)
    parser.add_argument('--window', type=int, default=500, help='frames a sample')
    parser.add_argument('--height', type=int, default=48)
    parser.add_argument('--width', type=int, default=64)
    parser.add_argument('--actors', type=int, default=2)
    parser.add_argument('--prototypes', type=int, default=500, help='most in the memory')
    parser.add_argument('--threads', type=int, default=1)
    parser.add_argument('--out', type=Path, required=True, help='JSON file')
    parser.add_argument('--picture', type=Path, help='PNG file')
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    settings = XMemConfig(
        size=-1,
        max_mid_term_frames=4,
        min_mid_term_frames=2,
        num_prototypes=48,
        max_long_term_elements=args.prototypes,
    )
    tracker, weights = compact_tracker(settings)
    soak = Soak(tracker, SoakScene(args.height, args.width, args.actors))
    report = {
        'weights': weights,
        'frames': args.frames,
        'window': args.window,
        'image': [args.height, args.width],
        'threads': args.threads,
        'samples': [],
    }
    args.out.parent.mkdir(parents=True, exist_ok=True)
    samples = soak.run(args.frames, args.window)
    for sample in tqdm(samples, total=args.frames // args.window, file=sys.stderr):
        report['samples'].append(asdict(sample))
        args.out.write_text(json.dumps({**report, 'counts': soak.counts}, indent=1))
    figures = growth(report['samples'])
    args.out.write_text(json.dumps({**report, 'counts': soak.counts, 'growth': figures}, indent=1))
    if args.picture:
        save_picture(report['samples'], weights, args.picture)
    print(json.dumps({'counts': soak.counts, 'growth': figures}, indent=2))
    return 0


if __name__ == '__main__':
    sys.exit(main())
