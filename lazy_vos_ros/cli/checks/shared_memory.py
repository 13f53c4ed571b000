"""The shared memory through which Fast DDS passes images."""

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from lazy_vos_ros.cli.checks.finding import Finding
from lazy_vos_ros.cli.checks.finding import ok
from lazy_vos_ros.cli.checks.finding import problem
from lazy_vos_ros.cli.checks.finding import warning
from lazy_vos_ros.evaluation.counts import counted

FOLDER = Path('/dev/shm')
MEBIBYTE = 2**20
ONE_PROCESS = 33 * MEBIBYTE
"""What one node takes with config/fastdds.xml."""
PROCESSES = 6
"""Nodes that should find room: tracker, operator, camera, recorder, and two of others."""
MUCH_LEFT = 64 * MEBIBYTE
"""Leftovers above which they are worth a warning."""

_NAME = re.compile(r'(?:sem\.)?(fastrtps_[0-9a-z]+?)(?:_el|_sl|_mutex)?$')


def check_shared_memory(folder: Path = FOLDER) -> Iterator[Finding]:
    """Look how much room there is, and how much of it the dead have left behind."""
    try:
        room = os.statvfs(folder)
    except OSError as error:
        mend = 'mount a tmpfs there; images then go through UDP, which is slower and loses some'
        yield problem('shared memory', f'{folder}: {error.strerror}', mend)
        return
    free, total = room.f_bavail * room.f_frsize, room.f_blocks * room.f_frsize
    found = f'{folder}: {free // MEBIBYTE} of {total // MEBIBYTE} MiB free'
    larger = 'make it larger: docker run --shm-size=1g, or mount -o remount,size=1G /dev/shm'
    if free < ONE_PROCESS:
        yield problem('shared memory', f'{found}; one node takes 33 MiB', larger)
    elif free < PROCESSES * ONE_PROCESS:
        yield warning('shared memory', f'{found}; {PROCESSES} nodes take 200 MiB', larger)
    else:
        yield ok('shared memory', found)
    yield _leftovers(folder)


def _leftovers(folder: Path) -> Finding:
    files = leftovers(folder)
    size = sum(_size(path) for path in files)
    found = (
        f'{counted(len(files), "file")} of {size // MEBIBYTE} MiB in use by no process '
        'that can be seen'
    )
    if size < MUCH_LEFT:
        return ok('leftovers', found)
    mend = f'when no ROS node runs on this host: rm {folder}/fastrtps_* {folder}/sem.fastrtps_*'
    return warning('leftovers', f'{found}: nodes that were killed left them', mend)


def leftovers(folder: Path = FOLDER) -> list[Path]:
    """Return the files of Fast DDS that no process has mapped, among those one may judge."""
    used = {match[1] for name in _mapped_names(folder) if (match := _NAME.match(name))}
    found = []
    for path in sorted(folder.iterdir()):
        match = _NAME.match(path.name)
        if match and match[1] not in used and _may_judge(path):
            found.append(path)
    return found


def _mapped_names(folder: Path) -> set[str]:
    """Return the names of all files of a folder that are mapped into a process."""
    names = set()
    for maps in Path('/proc').glob('[0-9]*/maps'):
        with suppress(OSError):  # it has ended, or is another user's
            for line in maps.read_text(errors='replace').splitlines():
                path = line.partition('/')[1] + line.partition('/')[2]
                if path.startswith(f'{folder}/'):
                    names.add(path.removeprefix(f'{folder}/').removesuffix(' (deleted)'))
    return names


def _may_judge(path: Path) -> bool:
    """Whether the processes that could use a file can be seen: one's own, or all as root."""
    with suppress(OSError):
        return os.geteuid() in (0, path.stat().st_uid)
    return False


def _size(path: Path) -> int:
    with suppress(OSError):
        return path.stat().st_size
    return 0
