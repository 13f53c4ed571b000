"""True masks for the images of a recorded run: from a folder, or from a topic of its bag."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from lazy_vos_ros.evaluation.bag_file import BagFile
from lazy_vos_ros.evaluation.bag_pictures import BagPictures
from lazy_vos_ros.evaluation.bag_pictures import stamps_of
from lazy_vos_ros.evaluation.clip_times import clip_numbers
from lazy_vos_ros.evaluation.label_images import read_labels
from lazy_vos_ros.evaluation.runs import Run
from lazy_vos_ros.evaluation.sources import natural_key

IMAGE = 'sensor_msgs/msg/Image'
LABEL_ENCODINGS = ('mono8', '8UC1', 'mono16', '16UC1')
MATCHINGS = ('auto', 'index', 'stamp')
LEAST_STAMP = 10**9
"""A whole number in a file's name from here on is a stamp in nanoseconds, below a frame."""
TOLERANCE = 1_000_000
"""Nanoseconds by which the stamp in a file's name may differ: it may be rounded."""

Labels = npt.NDArray[np.uint16]


class TrueMasks(Protocol):
    """True masks of some images of a run."""

    source: str
    """Where they are from, for people."""
    notes: tuple[str, ...]
    """What was odd, for people."""

    def labels(self, stamp: int) -> Labels | None:
        """Return the (H, W) true ids of the image with this stamp (ns); None if not known."""
        ...


class FolderTruth:
    """Label images in a folder: one for every frame, or for some of them."""

    def __init__(self, folder: Path, run: Run, *, match: str = 'auto', first: int = 0) -> None:
        """Find the image of each file.

        Parameters
        ----------
        folder
            PNG files whose names end in the number of the frame (`00012.png`) or are the stamp of
            the image (`1700000000123456789.png`, `1700000000.123456789.png`).
        run
            The run whose images they belong to.
        match
            What the names are; auto: stamps from 10^9 on, and where there is a decimal point.
        first
            Number of the file that belongs to the first published image; of no meaning for
            stamps, and where the bag tells the frame of the clip.

        Raises
        ------
        ValueError
            If there is no such file, none belongs to a processed image, two belong to one, or the
            numbers of the images are unknown.
        """
        if match not in MATCHINGS:
            raise ValueError(f'match is {match!r}; allowed: {", ".join(MATCHINGS)}')
        numbers = {path: _number(path) for path in _label_files(folder)}
        by_stamp = match == 'stamp' or (match == 'auto' and _are_stamps(numbers))
        if by_stamp:
            self._paths = _by_stamp(numbers, run)
            how = 'stamp'
        else:
            known, how = image_numbers(run, first)
            processed = {frame.stamp for frame in run.frames}
            self._paths = _by_index(numbers, {s: n for s, n in known.items() if s in processed})
        self.source = f'folder {folder.resolve().name}, by {how}'
        used = len(set(self._paths.values()))
        if not used:
            raise ValueError(
                f'none of the {len(numbers)} files in {folder} ({next(iter(numbers)).name}, ...) '
                f'belongs to a processed image by its {how}; allowed: names that do'
            )
        unused = len(numbers) - used
        self.notes: tuple[str, ...] = (
            (f'{unused} of {len(numbers)} true masks belong to no processed image',)
            if unused
            else ()
        )

    def labels(self, stamp: int) -> Labels | None:
        """Return the (H, W) true ids of the image with this stamp (ns); None if not known."""
        path = self._paths.get(stamp)
        return None if path is None else read_labels(path).astype(np.uint16)


class TopicTruth:
    """Label images on a topic of the bag, with the stamps of the images that they belong to."""

    def __init__(self, bag: Path, topic: str, run: Run) -> None:
        """Find the label image of each processed image.

        Raises
        ------
        ValueError
            If there is no such topic, its images are no label images, or none has the stamp of a
            processed image.
        """
        with BagFile(bag) as file:
            kind = file.topics.get(topic)
            if kind != IMAGE:
                have = ', '.join(file.topics_of(IMAGE)) or 'none'
                raise ValueError(
                    f'{bag} has {f"{topic} of type {kind}" if kind else f"no topic {topic}"}; '
                    f'allowed as ground truth: a folder, or one of its topics of {IMAGE}: {have}'
                )
            _check_encoding(file, topic)
            index = stamps_of(file, [topic])[topic]
        processed = {frame.stamp for frame in run.frames}
        shared = processed & index.keys()
        if not shared:
            raise ValueError(
                f'none of the {len(index)} messages on {topic} has the stamp of a processed '
                'image; allowed: label images with the stamps of the images'
            )
        self._pictures = BagPictures(bag, None, (topic, index), None)
        self.source = f'{topic} of the bag, by stamp'
        unused = len(index) - len(shared)
        self.notes: tuple[str, ...] = (
            (f'{unused} of {len(index)} true masks belong to no processed image',)
            if unused
            else ()
        )

    def labels(self, stamp: int) -> Labels | None:
        """Return the (H, W) true ids of the image with this stamp (ns); None if not known."""
        return self._pictures.labels(stamp)


def _check_encoding(file: BagFile, topic: str) -> None:
    first = next(file.messages(topic), None)
    if first is not None and first[2].encoding not in LABEL_ENCODINGS:
        raise ValueError(
            f'{topic} has images of encoding {first[2].encoding!r}; allowed for true masks: '
            f'{", ".join(LABEL_ENCODINGS)}, each value an object'
        )


def image_numbers(run: Run, first: int = 0) -> tuple[dict[int, int], str]:
    """Return the number of each image's frame by stamp, and how it is known.

    By the time in the clip that the camera told; else by counting the published images; else, if
    nothing was dropped, by counting the processed ones.

    Parameters
    ----------
    run
        As it was recorded.
    first
        Number of the first image, where images are counted.

    Raises
    ------
    ValueError
        If images were dropped and the published ones were not recorded.
    """
    if run.clip_times:
        return clip_numbers(run.clip_times), 'frame of the clip'
    if run.published:
        return {stamp: first + n for n, stamp in enumerate(run.published)}, 'image'
    dropped = max((frame.dropped for frame in run.frames), default=0)
    if dropped:
        raise ValueError(
            f'the images were not recorded and {dropped} were dropped, so their numbers are '
            'unknown; allowed: true masks that are named by stamp'
        )
    return {frame.stamp: first + n for n, frame in enumerate(run.frames)}, 'processed image'


def _label_files(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise ValueError(f'ground truth {folder} is no folder; allowed: a folder of label PNGs')
    found = sorted((item for item in folder.glob('*.png') if item.is_file()), key=natural_key)
    if not found:
        inside = sorted(item.name for item in folder.iterdir())[:3]
        raise ValueError(
            f'ground truth {folder} has no PNG file (it has {", ".join(inside) or "nothing"}); '
            'allowed: label images, each value an object'
        )
    return found


def _number(path: Path) -> tuple[int, bool]:
    """Return the number in a file's name, and whether it is surely a stamp."""
    seconds = re.search(r'(\d+)[._](\d{1,9})$', path.stem)
    if seconds and (len(seconds[2]) == 9 or '.' in seconds[0]):
        return int(seconds[1]) * 10**9 + int(seconds[2].ljust(9, '0')), True
    whole = re.search(r'(\d+)$', path.stem)
    if whole is None:
        raise ValueError(
            f'{path} has no number at its end; allowed: names like 00012.png, or stamps'
        )
    number = int(whole[1])
    return number, number >= LEAST_STAMP


def _are_stamps(numbers: Mapping[Path, tuple[int, bool]]) -> bool:
    kinds = {sure for _, sure in numbers.values()}
    if len(kinds) > 1:
        some = [next(p.name for p, (_, s) in numbers.items() if s is sure) for sure in kinds]
        raise ValueError(
            f'the true masks are named by frame and by stamp ({", ".join(some)}); allowed: one of '
            'both, or to say which with --match'
        )
    return kinds == {True}


def _by_stamp(numbers: Mapping[Path, tuple[int, bool]], run: Run) -> dict[int, Path]:
    stamps = np.array([frame.stamp for frame in run.frames], np.int64)
    found: dict[int, Path] = {}
    for path, (number, _) in numbers.items():
        nearest = int(stamps[np.abs(stamps - number).argmin()])
        if abs(nearest - number) <= TOLERANCE:
            _claim(found, nearest, path)
    return found


def _by_index(
    numbers: Mapping[Path, tuple[int, bool]], known: Mapping[int, int]
) -> dict[int, Path]:
    paths: dict[int, Path] = {}
    for path, (number, _) in numbers.items():
        _claim(paths, number, path)
    return {stamp: paths[number] for stamp, number in known.items() if number in paths}


def _claim(found: dict[int, Path], key: int, path: Path) -> None:
    if key in found:
        raise ValueError(
            f'{found[key].name} and {path.name} are true masks of one image; allowed: one each'
        )
    found[key] = path


def open_truth(
    source: str, bag: Path, run: Run, *, match: str = 'auto', first: int = 0
) -> FolderTruth | TopicTruth:
    """Return the true masks that a folder's path or a topic's name stands for.

    Raises
    ------
    ValueError
        If it is neither, or its masks belong to no processed image.
    """
    if Path(source).is_dir() or not source.startswith('/'):
        return FolderTruth(Path(source), run, match=match, first=first)
    return TopicTruth(bag, source, run)
