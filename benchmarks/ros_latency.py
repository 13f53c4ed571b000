"""Latency of everything except inference: a camera process and a tracker process over DDS.

The tracker process is the real node with a backend that costs nothing (all is background); what
its time step still takes (entropy, bookkeeping) is measured by the node and taken off.

Example: ``python -m benchmarks.ros_latency --rate 30 --size 1280x720 --frames 300``
"""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from time import monotonic
from time import sleep
from typing import Any

import numpy as np
import numpy.typing as npt
import rclpy
import torch
from diagnostic_msgs.msg import DiagnosticArray
from lazy_vos_msgs.msg import TrackingState
from rclpy.executors import SingleThreadedExecutor
from sensor_msgs.msg import Image
from std_msgs.msg import Header

from lazy_vos_ros.cli.environment import prepare_environment
from lazy_vos_ros.engine.backend import MemorySize
from lazy_vos_ros.engine.backend import MemoryWrite
from lazy_vos_ros.engine.backend import Prediction
from lazy_vos_ros.nodes import tracker_node
from lazy_vos_ros.nodes import tracking
from lazy_vos_ros.nodes.images import image_message
from lazy_vos_ros.nodes.qos import RELIABLE
from lazy_vos_ros.nodes.runtime import tune_allocator
from lazy_vos_ros.nodes.stream_clock import nanoseconds

START_UP = 120.0
"""Seconds given to the tracker process to start."""


@dataclass(frozen=True)
class FreeFrame:
    """A frame of which nothing is kept but the image."""

    index: int
    image: npt.NDArray[np.uint8]

    @property
    def nbytes(self) -> int:
        """Bytes of the image."""
        return self.image.nbytes


class FreeBackend:
    """Costs nothing and finds nothing; for measuring everything else."""

    name = 'none (a backend that costs nothing)'
    device = torch.device('cpu')
    object_ids: tuple[int, ...] = ()

    def __init__(self) -> None:
        self._index = -1
        self._background = torch.ones(1, 1, 1)

    def predict(self, image: npt.NDArray[np.uint8]) -> Prediction:
        """Return background everywhere."""
        self._index += 1
        if self._background.shape[1:] != image.shape[:2]:
            self._background = torch.ones(1, *image.shape[:2])
        return Prediction(self._background, (), FreeFrame(self._index, image))

    def commit(
        self,
        prediction: Prediction,
        write: MemoryWrite = MemoryWrite.SCHEDULED,
        probabilities: torch.Tensor | None = None,
        *,
        deep_update: bool = False,
    ) -> bool:
        """Memorise nothing."""
        return False

    def reset(self) -> None:
        """Begin again."""
        self._index = -1

    def memory_size(self) -> MemorySize:
        """Return zeros."""
        return MemorySize(0, 0, 0, 0)


class Camera:
    """Sends images and notes what comes back about each."""

    def __init__(self, size: tuple[int, int]) -> None:
        width, height = size
        self.node = rclpy.create_node('camera')
        self._publisher = self.node.create_publisher(Image, 'image', RELIABLE)
        self._pixels = np.random.default_rng(0).integers(0, 255, (height, width, 3), np.uint8)
        self.publishing: list[float] = []
        self.states: dict[int, TrackingState] = {}
        self.arrivals: dict[int, float] = {}
        self.figures: dict[str, str] = {}
        subscribe = self.node.create_subscription
        subscribe(TrackingState, 'lazy_vos/tracking_state', self._on_state, RELIABLE)
        subscribe(Image, 'lazy_vos/mask', self._on_mask, RELIABLE)
        subscribe(DiagnosticArray, '/diagnostics', self._on_diagnostics, RELIABLE)

    def wait(self) -> None:
        """Wait until the tracker and this node know each other."""
        end = monotonic() + START_UP
        while not (
            self._publisher.get_subscription_count()
            and self.node.count_publishers('lazy_vos/mask')
        ):
            if monotonic() > end:
                raise RuntimeError(f'the tracker did not start within {START_UP:g} s')
            sleep(0.05)
        sleep(0.5)

    def send(self, frames: int, rate: float) -> None:
        """Publish images at a rate, each stamped with the time at which it is handed over."""
        begin = monotonic()
        for number in range(frames):
            sleep(max(0.0, begin + number / rate - monotonic()))
            start = monotonic()
            header = Header(stamp=self.node.get_clock().now().to_msg(), frame_id='camera')
            self._publisher.publish(image_message(self._pixels, 'rgb8', header))
            self.publishing.append(monotonic() - start)

    def _on_state(self, state: TrackingState) -> None:
        self.states[nanoseconds(state.header.stamp)] = state

    def _on_mask(self, mask: Image) -> None:
        stamp = nanoseconds(mask.header.stamp)
        self.arrivals[stamp] = (self.node.get_clock().now().nanoseconds - stamp) * 1e-6

    def _on_diagnostics(self, message: DiagnosticArray) -> None:
        for status in message.status:
            self.figures.update({item.key: item.value for item in status.values})


def measure(size: tuple[int, int], rate: float, frames: int) -> dict[str, Any]:
    """Run both processes and return the figures."""
    tracker = subprocess.Popen([sys.executable, '-m', 'benchmarks.ros_latency', '--serve'])
    tune_allocator()
    rclpy.init()
    camera = Camera(size)
    executor = SingleThreadedExecutor()
    executor.add_node(camera.node)
    done = False

    def spin() -> None:
        while not done:
            executor.spin_once(timeout_sec=0.1)

    thread = Thread(target=spin)
    thread.start()
    try:
        camera.wait()
        camera.send(frames, rate)
        sleep(2.5)  # two reports of /diagnostics
    finally:
        done = True
        thread.join()
        tracker.terminate()
        tracker.wait()
        executor.shutdown()
        rclpy.shutdown()
    return figures(camera, size, rate, frames)


def figures(camera: Camera, size: tuple[int, int], rate: float, frames: int) -> dict[str, Any]:
    """Return what was measured."""
    inference = {
        stamp: state.predict_ms + state.lazy_ms + state.refine_ms + state.commit_ms
        for stamp, state in camera.states.items()
    }
    published = [state.latency_ms - inference[stamp] for stamp, state in camera.states.items()]
    arrived = [camera.arrivals[s] - inference[s] for s in camera.arrivals if s in inference]
    return {
        'backend': FreeBackend.name,
        'image': f'{size[0]}x{size[1]} rgb8',
        'rate (1/s)': rate,
        'sent': frames,
        'received': int(camera.figures.get('images received', 0)),
        'processed': int(camera.figures.get('images processed', 0)),
        'replaced by a newer one': int(camera.figures.get('images dropped', 0)),
        'masks received': len(camera.arrivals),
        'publish() of the camera (ms)': percentiles([1e3 * t for t in camera.publishing]),
        'time step, taken off (ms)': percentiles(list(inference.values())),
        'stamp to publication, without the time step (ms)': percentiles(published),
        'stamp to arrival of the mask, without the time step (ms)': percentiles(arrived),
    }


def percentiles(values: list[float]) -> dict[str, float]:
    """Return p50 and p95."""
    if not values:
        return {}
    p50, p95 = np.percentile(values, (50, 95))
    return {'p50': round(float(p50), 2), 'p95': round(float(p95), 2)}


def table(result: Mapping[str, Any]) -> str:
    """Return the figures for people."""
    lines = []
    for key, value in result.items():
        text = value
        if isinstance(value, dict):
            text = f'p50 {value["p50"]:.2f}   p95 {value["p95"]:.2f}' if value else 'none'
        lines.append(f'{key:58} {text}')
    return '\n'.join(lines)


def serve() -> int:
    """Run the tracker node on the backend that costs nothing."""
    tracking.make_backend = lambda weights, *, device, settings: FreeBackend()  # type: ignore[assignment,return-value]
    tracking.make_refiner = lambda name, *, backend, device: backend  # never asked
    tracking.warm_up = lambda tracker: None
    return tracker_node.main()


def main() -> int:
    """Measure, print a table, write JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--rate', type=float, default=30.0, help='images per second')
    parser.add_argument('--size', default='1280x720', help='WIDTHxHEIGHT')
    parser.add_argument('--frames', type=int, default=300)
    parser.add_argument('--out', type=Path, help='also write the figures as JSON')
    parser.add_argument('--serve', action='store_true', help=argparse.SUPPRESS)
    args = parser.parse_args()
    prepare_environment('demo')
    os.environ.setdefault('ROS_DOMAIN_ID', str(1 + os.getpid() % 100))
    if args.serve:
        return serve()
    width, height = (int(part) for part in args.size.split('x'))
    result = measure((width, height), args.rate, args.frames)
    print(table(result))
    if args.out:
        args.out.write_text(json.dumps(result, indent=2) + '\n')
    return 0


if __name__ == '__main__':
    sys.exit(main())
