"""Make the faults of docs/reliability.md and print its table.

Example::

    python -m benchmarks.faults                 # all of them
    python -m benchmarks.faults images kills --kills 20
"""

import argparse
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from benchmarks.faults import clocks
from benchmarks.faults import disks
from benchmarks.faults import ends
from benchmarks.faults import images
from benchmarks.faults import kills
from benchmarks.faults import networks
from benchmarks.faults import people
from benchmarks.faults import starts
from benchmarks.faults.robot import Robot
from benchmarks.faults.row import HEADER
from benchmarks.faults.row import Row
from benchmarks.live_graph import ENVIRONMENT
from benchmarks.live_graph import Graph


def of_images(graph: Graph, times: int) -> Iterator[Row]:
    """Make the faults of images and stamps."""
    robot = ready(graph, stale_after=0.5)
    yield images.camera_stops(robot, 0.5)
    for scenario in images.IN_STREAM:
        yield scenario(robot)
    yield images.flood(robot)


def of_people(graph: Graph, times: int) -> Iterator[Row]:
    """Make the faults of those who are asked."""
    robot = ready(graph)
    for scenario in people.IN_STREAM:
        yield scenario(robot)


def of_networks(graph: Graph, times: int) -> Iterator[Row]:
    """Make the faults of network, refiner and memory, and those of the disk beside them."""
    (graph.folder / 'file').touch()
    robot = ready(graph, state_file=graph.folder / 'file' / 'state.safetensors')
    for scenario in networks.IN_STREAM:
        yield scenario(robot)
    yield starts.parameters_while_running(robot)
    yield disks.unwritable_state(robot)
    yield disks.unwritable_folder(robot)
    yield disks.disk_full(robot)


def of_starts(graph: Graph, times: int) -> Iterator[Row]:
    """Start the tracker with what it must refuse."""
    for kind in starts.CHECKPOINTS:
        yield starts.checkpoint(graph, kind)
    yield starts.parameters_at_start(graph)


def of_clocks(graph: Graph, times: int) -> Iterator[Row]:
    """Make the faults of clocks."""
    robot = ready(graph, use_sim_time=True)
    yield clocks.bags(robot)
    yield clocks.clock_stepped(robot)


def of_kills(graph: Graph, times: int) -> Iterator[Row]:
    """Kill each process."""
    clip, masks = make_clip(graph.folder)
    robot = ready(graph)
    yield kills.kill_tracker(robot, times)
    yield kills.kill_agent(robot, masks, times)
    starters = ends.starters(graph, clip, masks, masks / '000.png')
    for name in kills.LOST:
        yield kills.kill_other(robot, name, starters[name], times)


def of_ends(graph: Graph, times: int) -> Iterator[Row]:
    """End each node by each signal, while images come."""
    clip, masks = make_clip(graph.folder)
    others = ['--ros-args', '-r', '__node:=other_camera', '--']
    camera = graph.start(
        'lazy_vos_ros.nodes.camera', args=others, source=clip, rate=10.0, loop=True
    )
    for name, starter in ends.starters(graph, clip, masks, masks / '000.png').items():
        yield ends.row(graph, name, starter)
    camera.stop()


GROUPS = {
    'images': of_images,
    'people': of_people,
    'networks': of_networks,
    'starts': of_starts,
    'clocks': of_clocks,
    'kills': of_kills,
    'ends': of_ends,
}


def ready(graph: Graph, **parameters: object) -> Robot:
    """Return a robot that tracks."""
    robot = Robot(graph, **parameters)
    robot.camera.connect()
    robot.recover()
    return robot


def make_clip(folder: Path) -> tuple[Path, Path]:
    """Write images of a moving square, and label images of where it is."""
    clip, masks = folder / 'images', folder / 'masks'
    clip.mkdir()
    masks.mkdir()
    noise = np.random.default_rng(2).integers(0, 90, (96, 128, 3), np.uint8)
    for index in range(14):
        image, labels = noise.copy(), np.zeros((96, 128), np.uint8)
        image[30:60, 20 + index : 60 + index] += 150
        labels[30:60, 20 + index : 60 + index] = 1
        cv2.imwrite(str(clip / f'{index:03d}.png'), image)
        cv2.imwrite(str(masks / f'{index:03d}.png'), labels)
    return clip, masks


def run(name: str, times: int, folder: Path) -> bool:
    """Make a group of faults and print their rows; return whether all went as they should."""
    folder.mkdir()
    graph = Graph(folder, f'/{name}')
    try:
        for row in GROUPS[name](graph, times):
            print(row.markdown(), flush=True)
    except AssertionError as error:
        print(f'{name}: {error}', file=sys.stderr)
        return False
    finally:
        graph.close()
    return True


def main() -> int:
    """Run the groups that were named, or all."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('groups', nargs='*', metavar='GROUP', help=f'of {", ".join(GROUPS)}')
    parser.add_argument('--kills', type=int, default=20, help='kills of each process (20)')
    arguments = parser.parse_args()
    unknown = set(arguments.groups) - set(GROUPS)
    if unknown:
        parser.error(f'{", ".join(sorted(unknown))}: allowed are {", ".join(GROUPS)}')
    os.environ.update(ENVIRONMENT)
    print(HEADER)
    with tempfile.TemporaryDirectory() as folder:
        done = [
            run(name, arguments.kills, Path(folder) / name) for name in arguments.groups or GROUPS
        ]
    return 0 if all(done) else 1


if __name__ == '__main__':
    sys.exit(main())
