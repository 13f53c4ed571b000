"""Run one ROS node, without ros2 launch.

  lazy_vos  tracks objects in the topic image; lazy-vos node lazy_vos --ros-args -r image:=/camera
  camera    plays a video file, an image folder or a webcam as a camera
  operator  asks a person, in RViz, Foxglove, rqt or a web page, when a tracker is unsure
  agent     answers the trackers' questions in place of a person, from true masks or a recording
  recorder  writes the topics that an evaluation needs into a bag

What follows --ros-args is of ROS 2: -p NAME:=VALUE sets a parameter, --params-file FILE many of
them (config/lazy_vos.yaml has all, with what they mean), -r OLD:=NEW renames a topic, -r
__ns:=/NAME puts the node into a namespace.

Examples:
  lazy-vos node camera --ros-args -p source:=clip.mp4 -p rate:=10.0
  lazy-vos node lazy_vos --ros-args -p initial_click:=320,200
"""

import argparse
import sys

from lazy_vos_ros.nodes.start import NODES
from lazy_vos_ros.nodes.start import start


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `lazy-vos node`."""
    parser.add_argument('name', choices=NODES, metavar='NAME', help='one of the above')
    parser.add_argument(
        'node_args',
        nargs=argparse.REMAINDER,
        metavar='ARGUMENTS',
        help='for ROS 2, after --ros-args',
    )


def run(args: argparse.Namespace) -> int:
    """Run the node in this process until it ends."""
    given = args.node_args
    own = given[: given.index('--ros-args')] if '--ros-args' in given else given
    if own:
        raise ValueError(
            f'{" ".join(own)!r} after {args.name}; allowed: --ros-args and what follows it'
        )
    sys.argv = [f'lazy-vos node {args.name}', *args.node_args]
    return start(args.name)
