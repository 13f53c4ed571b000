"""Run one ROS node, without ros2 launch."""

import argparse
import sys
from importlib import import_module

NODES = {
    'lazy_vos': 'lazy_vos_ros.nodes.tracker_node',
    'camera': 'lazy_vos_ros.nodes.camera',
    'agent': 'lazy_vos_ros.nodes.agent',
    'operator': 'lazy_vos_ros.nodes.operator',
    'recorder': 'lazy_vos_ros.nodes.recorder',
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `lazy-vos node`."""
    parser.add_argument('name', choices=NODES, metavar='NAME', help=f'one of {", ".join(NODES)}')
    parser.add_argument(
        'node_args',
        nargs=argparse.REMAINDER,
        metavar='ARGUMENTS',
        help="the node's own arguments, such as --ros-args -p rate:=10.0",
    )


def run(args: argparse.Namespace) -> int:
    """Run the node in this process until it ends."""
    sys.argv = [f'lazy-vos node {args.name}', *args.node_args]
    return import_module(NODES[args.name]).main() or 0
