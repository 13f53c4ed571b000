"""Room for recordings."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from lazy_vos_ros.cli.checks.finding import Finding
from lazy_vos_ros.cli.checks.finding import ok
from lazy_vos_ros.cli.checks.finding import problem
from lazy_vos_ros.cli.checks.finding import warning

GIGABYTE = 1e9
RATE = 1280 * 720 * 3 * 30
"""Bytes a second of raw images of 1280x720 at 30 Hz."""
LITTLE, TOO_LITTLE = 10 * GIGABYTE, 1 * GIGABYTE


def check_disk(folder: Path | None = None) -> Iterator[Finding]:
    """Look how much can be recorded where one stands."""
    folder = folder or Path.cwd()
    free = shutil.disk_usage(folder).free
    minutes = free / RATE / 60
    found = f'{free / GIGABYTE:.1f} GB free in {folder}: {minutes:.0f} min of raw 1280x720, 30 Hz'
    mend = 'record elsewhere (-p bag:=/other/disk/run), or record compressed images'
    if not os.access(folder, os.W_OK):
        yield warning('disk', f'{folder} cannot be written into', mend)
    elif free < TOO_LITTLE:
        yield problem('disk', found, mend)
    elif free < LITTLE:
        yield warning('disk', found, mend)
    else:
        yield ok('disk', found)
