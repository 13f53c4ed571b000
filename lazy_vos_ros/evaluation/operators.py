"""Simulated operators: what a person would answer, from ground truth or from a recording."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import yaml

from lazy_vos_ros.engine.centre import centre_click
from lazy_vos_ros.engine.clicks import Click
from lazy_vos_ros.engine.results import Absent
from lazy_vos_ros.engine.results import Skip
from lazy_vos_ros.evaluation.metrics import check_masks

Mask = npt.NDArray[np.bool_]


def gt_center(ground_truth: Mask, prediction: Mask) -> Click | Absent:
    """Click on the centre of the object, as in all experiments of the paper.

    An object that is not in the image gets a negative click on what was predicted, or, if nothing
    was, the answer that it is absent.

    Parameters
    ----------
    ground_truth, prediction
        (H, W) bool masks of one object.

    Raises
    ------
    ValueError
        If the masks are not of one size.
    """
    check_masks(ground_truth, prediction)
    click = centre_click(ground_truth) or centre_click(prediction, positive=False)
    return click or Absent()


def largest_error(ground_truth: Mask, prediction: Mask) -> Click | Absent:
    """Click on the centre of the largest connected region that is wrong.

    Positive where the object was missed, negative where background was taken for it; of equally
    large regions the missed one. Without any error the same as :func:`gt_center`.

    Parameters
    ----------
    ground_truth, prediction
        (H, W) bool masks of one object.

    Raises
    ------
    ValueError
        If the masks are not of one size.
    """
    check_masks(ground_truth, prediction)
    missed = ground_truth & ~prediction
    excess = prediction & ~ground_truth
    if _largest_area(missed) >= _largest_area(excess):
        click = centre_click(missed)
    else:
        click = centre_click(excess, positive=False)
    return click or gt_center(ground_truth, prediction)


def _largest_area(mask: Mask) -> int:
    """Pixels of the largest part connected over edges and corners; 0 for an empty mask."""
    _, _, statistics, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    return int(statistics[1:, cv2.CC_STAT_AREA].max(initial=0))


@dataclass(frozen=True)
class _Track:
    """Rows of one object, ascending by frame; None instead of a point: absent."""

    label: str
    frames: tuple[int, ...]
    points: tuple[tuple[float, float] | None, ...]


class RecordedClicks:
    """The centre of each object over time, as a person annotated it every few frames.

    The file is YAML. Frames count from 0; their order must ascend::

        fps: 25.0                  # of the video whose frames are numbered
        objects:
          1:
            label: cyclist         # may be left out
            centres:
              - [0, 447, 69]       # frame, x, y
              - [5, 450, 70]
              - [9, absent]        # from here on it is not in the image
              - [30, 440, 75]      # and here it is back
    """

    def __init__(self, fps: float, tracks: Mapping[int, _Track]) -> None:
        self.fps = fps
        """Frames per second of the annotated video."""
        self._tracks = dict(tracks)

    @classmethod
    def load(cls, path: str | Path) -> RecordedClicks:
        """Read a file of recorded clicks.

        Raises
        ------
        ValueError
            Naming the file, the object and the row that is wrong.
        """
        path = Path(path)
        if not path.is_file():
            raise ValueError(f'{path} does not exist; allowed: a YAML file of recorded clicks')
        try:
            content = yaml.safe_load(path.read_text(encoding='utf-8'))
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            raise ValueError(f'{path} is no YAML file: {error}') from None
        try:
            return cls._from_content(content)
        except ValueError as error:
            raise ValueError(f'{path}: {error}') from None

    @classmethod
    def _from_content(cls, content: Any) -> RecordedClicks:
        if not isinstance(content, dict) or not isinstance(content.get('objects'), dict):
            raise ValueError('allowed: a mapping with fps and objects')
        fps = _number('fps', content.get('fps'))
        if fps <= 0:
            raise ValueError(f'fps is {fps:g}; allowed: a number above 0')
        tracks = {}
        for object_id, entry in content['objects'].items():
            if type(object_id) is not int or object_id < 1:
                raise ValueError(f'object {object_id!r}; allowed: ids that are whole numbers >= 1')
            tracks[object_id] = _read_track(object_id, entry)
        return cls(fps, tracks)

    @property
    def object_ids(self) -> tuple[int, ...]:
        """Ids of the annotated objects, ascending."""
        return tuple(sorted(self._tracks))

    def label(self, object_id: int) -> str:
        """Return the object's name for people; empty if it has none."""
        return self._tracks[object_id].label

    def at(self, frame: float, object_id: int) -> Click | Absent | Skip:
        """Return what the operator answers about an object in a frame.

        Between two annotated points the click moves linearly; a point before an absence, and an
        absence before a point, hold until the next row. Skip for an object that is not annotated
        and for frames outside of the annotated ones.

        Parameters
        ----------
        frame
            Number of the frame; multiply seconds of the video by `fps`.
        object_id
            Id of the object.
        """
        track = self._tracks.get(object_id)
        if track is None or not track.frames[0] <= frame <= track.frames[-1]:
            return Skip()
        row = bisect_right(track.frames, frame) - 1
        here = track.points[row]
        if here is None:
            return Absent()
        if row + 1 == len(track.frames):
            return Click(*here)
        there = track.points[row + 1]
        if there is None:
            return Click(*here)
        part = (frame - track.frames[row]) / (track.frames[row + 1] - track.frames[row])
        x, y = (a + part * (b - a) for a, b in zip(here, there, strict=True))
        return Click(x, y)


def _read_track(object_id: int, entry: Any) -> _Track:
    rows = entry.get('centres') if isinstance(entry, dict) else None
    if not isinstance(rows, list) or not rows:
        raise ValueError(f'object {object_id} has no list of centres')
    frames: list[int] = []
    points: list[tuple[float, float] | None] = []
    for number, row in enumerate(rows, start=1):
        where = f'object {object_id}, row {number}'
        frame, point = _read_row(where, row)
        if frames and frame <= frames[-1]:
            raise ValueError(f'{where} is frame {frame}; allowed: above {frames[-1]}')
        frames.append(frame)
        points.append(point)
    return _Track(str(entry.get('label', '')), tuple(frames), tuple(points))


def _read_row(where: str, row: Any) -> tuple[int, tuple[float, float] | None]:
    if not isinstance(row, list) or type(row[0] if row else None) is not int or row[0] < 0:
        raise ValueError(f'{where} is {row!r}; allowed: [frame, x, y] or [frame, absent]')
    if row[1:] == ['absent']:
        return row[0], None
    if len(row) != 3:
        raise ValueError(f'{where} is {row!r}; allowed: [frame, x, y] or [frame, absent]')
    return row[0], (_number(f'{where}: x', row[1]), _number(f'{where}: y', row[2]))


def _number(name: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
        raise ValueError(f'{name} is {value!r}; allowed: a number')
    return float(value)
