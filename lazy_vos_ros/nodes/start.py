"""Start a node by its name: a signal that comes while its code is loaded ends the process quietly.

Loading takes seconds, of PyTorch most of all, and a person or a launch file may think better of
it. Nothing is imported here, nor by the package, that would be loaded before.
"""

import os
import signal
from importlib import import_module
from types import FrameType

NODES = {
    'lazy_vos': 'lazy_vos_ros.nodes.tracker_node',
    'camera': 'lazy_vos_ros.nodes.camera',
    'agent': 'lazy_vos_ros.nodes.agent',
    'operator': 'lazy_vos_ros.nodes.operator',
    'recorder': 'lazy_vos_ros.nodes.recorder',
}
"""Modules whose `main` runs a node, by the names that people give."""


def start(name: str) -> int:
    """Load and run a node with the arguments of this process; return the exit status."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _end_at_once)
    main = import_module(NODES[name]).main
    return int(main() or 0)


def _end_at_once(number: int, _: FrameType | None) -> None:
    """There is nothing to be closed yet; the node's own handlers come with it."""
    os._exit(0)


def lazy_vos() -> int:
    """Run the tracker."""
    return start('lazy_vos')


def lazy_vos_camera() -> int:
    """Run the camera."""
    return start('camera')


def lazy_vos_agent() -> int:
    """Run the simulated operator."""
    return start('agent')


def lazy_vos_operator() -> int:
    """Run the operator's node."""
    return start('operator')


def lazy_vos_recorder() -> int:
    """Run the recorder."""
    return start('recorder')
