"""Kill `lazy_vos_recorder` at random moments under load, and measure what is lost of its bags.

For each kill: a recorder of its own, a publisher at 30 Hz, SIGKILL after a random time, and
the bag is read as `./lazy-vos evaluate` reads it. Lost is the time from the first message
after the last one that can be read to the kill.

Example: ``python -m benchmarks.killed_recorder --kills 20 --out out/killed``
"""

import argparse
import contextlib
import io
import json
import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from collections.abc import Mapping
from pathlib import Path
from threading import Event
from threading import Thread
from time import monotonic
from time import sleep
from time import time_ns
from typing import Any

import numpy as np
import rclpy
from lazy_vos_msgs.msg import TrackingState
from rclpy.node import Node
from sensor_msgs.msg import Image
from std_msgs.msg import Header
from tqdm import tqdm

from lazy_vos_ros.cli.main import main as lazy_vos
from lazy_vos_ros.evaluation.bag_file import BagFile
from lazy_vos_ros.nodes.images import image_message
from lazy_vos_ros.nodes.qos import RELIABLE

ROOT = Path(__file__).resolve().parents[1]
STATE = 'lazy_vos/tracking_state'
LOADS = {
    'images': ('image', 'lazy_vos/mask', 'lazy_vos/entropy', STATE),
    'states only': (STATE,),
}
"""Topics by load: megabytes a second, or some kilobytes a second."""
STORAGES = ('mcap', 'sqlite3')


class Source:
    """Publishes a tracker's topics at a rate, and notes when it did."""

    def __init__(self, node: Node, topics: tuple[str, ...], rate: float) -> None:
        self._rate = rate
        kinds = {name: TrackingState if name == STATE else Image for name in topics}
        self._publishers = {
            name: node.create_publisher(kind, name, RELIABLE) for name, kind in kinds.items()
        }
        self.sent: dict[str, list[int]] = {name: [] for name in topics}
        """When each message of a topic was published (ns), by its number."""
        generator = np.random.default_rng(0)
        self._pixels = {
            'image': (generator.integers(0, 255, (240, 320, 3), np.uint8), 'rgb8'),
            'lazy_vos/mask': (np.ones((240, 320), np.uint8), 'mono8'),
            'lazy_vos/entropy': (generator.random((240, 320), np.float32), '32FC1'),
        }

    @property
    def recorded(self) -> bool:
        """Whether every topic has a subscriber."""
        return all(item.get_subscription_count() for item in self._publishers.values())

    def run(self, end: Event) -> None:
        """Publish until told to end; the stamp of a message is its number, in seconds."""
        start, number = monotonic(), 0
        while not end.is_set():
            header = Header(frame_id='camera')
            header.stamp.sec = number
            for name, publisher in self._publishers.items():
                self.sent[name].append(time_ns())
                publisher.publish(self._message(name, header, number))
            number += 1
            sleep(max(0.0, start + number / self._rate - monotonic()))

    def _message(self, name: str, header: Header, number: int) -> Any:
        if name == STATE:
            return TrackingState(header=header, frame_index=number)
        pixels, encoding = self._pixels[name]
        return image_message(pixels, encoding, header)


@contextlib.contextmanager
def recorder(
    bag: Path, namespace: str, storage: str, topics: tuple[str, ...]
) -> Iterator[subprocess.Popen[bytes]]:
    """Run the real node; what still lives at the end is killed."""
    wanted = bag.with_suffix('.topics.yaml')
    wanted.write_text(json.dumps({'topics': topics}))
    given = {'bag': bag, 'storage': storage, 'topics': wanted}
    words = [word for name, value in given.items() for word in ('-p', f'{name}:={value}')]
    node = [sys.executable, '-m', 'lazy_vos_ros.nodes.recorder']
    command = [*node, '--ros-args', '-r', f'__ns:={namespace}', *words]
    process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def killed(bag: Path, storage: str, load: str, lives: float) -> dict[str, Any]:
    """Record for some seconds, kill the recorder, and tell what its bag holds."""
    # A namespace of its own: the middleware takes a killed subscriber for alive for a while.
    node = rclpy.create_node('camera', namespace=f'/{bag.name}')
    source = Source(node, LOADS[load], rate=30.0)
    end = Event()
    thread = Thread(target=source.run, args=(end,))
    with recorder(bag, node.get_namespace(), storage, LOADS[load]) as process:
        while not source.recorded:
            sleep(0.02)
        thread.start()
        sleep(lives)
        moment = time_ns()
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    end.set()
    thread.join()
    node.destroy_node()
    return {'storage': storage, 'load': load, **lost(source.sent, bag, moment)}


def lost(sent: Mapping[str, list[int]], bag: Path, moment: int) -> dict[str, Any]:
    """Compare what was sent before the kill with what can be read.

    Messages of a topic are written in the order in which they came, so that one which is not there
    while a later one is was not lost by the kill: the middleware did not bring it.
    """
    with BagFile(bag) as opened:
        there: dict[str, set[int]] = {name: set() for name in sent}
        for topic, _, message in opened.messages(*opened.topics):
            there[topic.removeprefix(f'/{bag.name}/')].add(message.header.stamp.sec)
        faults = opened.faults
    tail = [
        moment - times[number]
        for name, times in sent.items()
        for number in range(max(there[name], default=-1) + 1, len(times))
        if times[number] < moment
    ]
    return {
        'sent': sum(when < moment for times in sent.values() for when in times),
        'read': sum(len(numbers) for numbers in there.values()),
        'never arrived': sum(
            max(numbers, default=-1) + 1 - len(numbers) for numbers in there.values()
        ),
        'lost_seconds': round(max(tail, default=0) / 1e9, 3),
        'faults': faults,
    }


def evaluated(bag: Path) -> str:
    """Return what `./lazy-vos evaluate` prints of a bag; RuntimeError if it fails."""
    output = io.StringIO()
    with contextlib.redirect_stdout(output):
        status = lazy_vos(['evaluate', str(bag), '--out', str(bag.with_suffix('.report'))])
    if status:
        raise RuntimeError(f'evaluate {bag} ended with {status}: {output.getvalue()}')
    return output.getvalue()


def cut(bag: Path, place: float, folder: Path) -> dict[str, Any]:
    """Cut a copy of a bag's file at this part of its length, and tell what can be read of it."""
    (source,) = (path for path in bag.iterdir() if path.suffix in ('.mcap', '.db3'))
    folder.mkdir()
    content = source.read_bytes()
    (folder / source.name).write_bytes(content[: int(place * len(content))])
    found = {'storage': source.suffix, 'place': round(place, 3)}
    try:
        with BagFile(bag) as whole, BagFile(folder) as part:
            every = [time for _, time, _ in whole.raw_messages(*whole.topics)]
            read = sum(1 for _ in part.raw_messages(*part.topics))
    except ValueError as error:
        return {**found, 'refused': str(error)}
    evaluated(folder)
    seconds = (every[-1] - every[0]) / 1e9
    return {**found, 'read': read, 'expected': int(place * len(every)), 'of': len(every)} | {
        'lost_seconds': round(max(0.0, place - read / len(every)) * seconds, 3)
    }


def main() -> int:
    """Kill as often as wanted with each storage and load; print the losses."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--kills', type=int, default=20, help='of each storage')
    parser.add_argument('--cuts', type=int, default=20, help='of one file of each storage')
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('--out', type=Path, required=True, help='folder for bags and results')
    args = parser.parse_args()
    args.out.mkdir(parents=True)
    chance = random.Random(args.seed)
    rclpy.init()
    results = []
    for number in tqdm(range(args.kills * len(STORAGES)), file=sys.stderr):
        storage = STORAGES[number % len(STORAGES)]
        load = tuple(LOADS)[number // len(STORAGES) % len(LOADS)]
        bag = args.out / f'bag_{number:03}'
        results.append(killed(bag, storage, load, chance.uniform(0.5, 4.0)))
        results[-1]['evaluate'] = evaluated(bag)
    rclpy.shutdown()
    cuts = [
        cut(args.out / f'bag_{number:03}', chance.random(), args.out / f'cut_{number}_{turn}')
        for number in range(len(STORAGES))
        for turn in range(args.cuts)
    ]
    (args.out / 'cut.json').write_text(json.dumps(cuts, indent=1))
    (args.out / 'killed.json').write_text(json.dumps(results, indent=1))
    for storage in STORAGES:
        for load in LOADS:
            found = [r for r in results if (r['storage'], r['load']) == (storage, load)]
            seconds = [item['lost_seconds'] for item in found]
            print(
                f'{storage:8} {load:12} {len(found):3} kills, seconds lost: '
                f'median {np.median(seconds):.2f}, most {max(seconds):.2f}'
            )
    for suffix in ('.mcap', '.db3'):
        found = [item for item in cuts if item['storage'] == suffix]
        seconds = [item['lost_seconds'] for item in found if 'read' in item]
        print(
            f'{suffix:5} cut at {len(found)} places, {len(seconds)} evaluated, seconds lost '
            f'before the cut: median {np.median(seconds):.2f}, most {max(seconds):.2f}'
        )
    return 0


if __name__ == '__main__':
    sys.exit(main())
