"""Which storage files a bag has, and what its metadata promise."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from pathlib import PurePath
from typing import Any

import yaml

from lazy_vos_ros.evaluation.counts import counted
from lazy_vos_ros.evaluation.sources import natural_key

STORAGE_SUFFIXES = ('.mcap', '.db3')
COMPRESSED = '.zstd'
"""Ending of files that `ros2 bag record --compression-mode file` has compressed as a whole."""
METADATA = 'metadata.yaml'


@dataclass(frozen=True)
class BagParts:
    """The files of a bag."""

    files: tuple[Path, ...]
    """In the order of recording."""
    promised: dict[str, int]
    """Messages by topic, as the metadata have it; empty without metadata."""
    faults: tuple[str, ...]
    """What is missing, for people."""


def find_parts(path: Path) -> BagParts:
    """Return the storage files of a bag.

    Parameters
    ----------
    path
        Folder of the bag, or one file of its storage.

    Raises
    ------
    ValueError
        If there is no storage file.
    """
    if not path.exists():
        raise ValueError(f'{path} does not exist; allowed: the folder of a rosbag2')
    if path.is_file():
        if not _is_storage(path):
            raise ValueError(
                f'{path} is no bag; allowed: the folder of a rosbag2, or its mcap or db3 file'
            )
        return BagParts((path,), {}, ())
    there = sorted((item for item in path.iterdir() if _is_storage(item)), key=natural_key)
    if not there:
        raise ValueError(
            f'{path} has no mcap or db3 file; allowed: the folder of a rosbag2, or one file of '
            'its storage'
        )
    information, fault = _metadata(path / METADATA)
    if information is None:
        return BagParts(tuple(there), {}, (fault,))
    named = [PurePath(str(name)).name for name in _list(information.get('relative_file_paths'))]
    faults = _differences(named, there, information)
    order = {name: place for place, name in enumerate(named)}
    files = sorted(there, key=lambda item: order.get(item.name, len(named)))
    return BagParts(tuple(files), _promised(information), tuple(faults))


def _is_storage(path: Path) -> bool:
    name = path.name.removesuffix(COMPRESSED)
    return path.is_file() and PurePath(name).suffix in STORAGE_SUFFIXES


def _metadata(path: Path) -> tuple[dict[str, Any] | None, str]:
    """Return what the metadata say, or why they cannot be used."""
    if not path.is_file():
        return None, f'{METADATA} is missing: whether the bag is complete is unknown'
    try:
        content = yaml.safe_load(path.read_text(encoding='utf-8'))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        return None, f'{METADATA} cannot be read: {" ".join(str(error).split())}'
    information = content.get('rosbag2_bagfile_information') if isinstance(content, dict) else None
    if not isinstance(information, dict):
        return None, f'{METADATA} does not tell of a rosbag2'
    return information, ''


def _differences(named: list[str], there: list[Path], information: dict[str, Any]) -> list[str]:
    """Say which files are missing, and which are not named."""
    counts = {
        PurePath(str(item.get('path'))).name: item.get('message_count')
        for item in _list(information.get('files'))
        if isinstance(item, dict)
    }
    present = {item.name for item in there}
    faults = []
    for name in named:
        if name not in present:
            count = counts.get(name)
            faults.append(
                f'{name} is missing'
                + ('' if count is None else f', with {counted(count, "message")}')
            )
    unnamed = sorted(present - set(named))
    if unnamed:
        faults.append(f'{METADATA} does not name {", ".join(unnamed)}, read nevertheless')
    return faults


def _promised(information: dict[str, Any]) -> dict[str, int]:
    found = {}
    for item in _list(information.get('topics_with_message_count')):
        try:
            found[str(item['topic_metadata']['name'])] = int(item['message_count'])
        except (KeyError, TypeError, ValueError):
            continue  # then this count is not compared
    return found


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
