"""Set everything up, run nothing, and say what it runs on."""

import argparse
import os
import platform
import sys
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `lazy-vos setup`: there are none."""


def run(args: argparse.Namespace) -> int:
    """Print the versions that matter in a report of a fault."""
    import rclpy
    import torch

    device = torch.cuda.get_device_name(0) if torch.cuda.is_available() else 'none, CPU only'
    facts = {
        'system': platform.platform(),
        'Python': f'{platform.python_version()}, {sys.prefix}',
        'ROS 2': f'{os.environ.get("ROS_DISTRO") or "jazzy, from wheels"}, {rclpy.__file__}',
        'torch': f'{torch.__version__}; GPU: {device}',
        'NumPy': _version('numpy'),
        'OpenCV': _version('opencv-python'),
        'SAM-HQ': _version('segment-anything-hq'),
    }
    for name, value in facts.items():
        print(f'{name:8} {value}')
    return 0


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return 'not installed by pip'
