"""The figures of a report as PNG files, for papers and slides."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from lazy_vos_ros.engine.backend import Image
from lazy_vos_ros.evaluation.evaluated_run import EvaluatedRun
from lazy_vos_ros.evaluation.report.question_views import QuestionView
from lazy_vos_ros.evaluation.report.question_views import Thumbnail
from lazy_vos_ros.evaluation.timeline import draw_timeline

SHEET = 8
"""Most questions of one sheet."""
TITLE = 26
"""Height of the line above each picture."""
GAP = 10


def file_name(text: str) -> str:
    """Return a text as a part of a file's name: letters, digits, dot, dash and underscore."""
    return re.sub(r'[^A-Za-z0-9._-]+', '-', text).strip('-.')[:60] or 'run'


def write_timeline(run: EvaluatedRun, path: Path, objects: Sequence[int]) -> None:
    """Write the timeline of some objects of a run, at least one."""
    draw_timeline(run.run, path, run.config, iou=run.iou, objects=objects)


def write_questions(views: Sequence[QuestionView], path: Path) -> None:
    """Write the pictures of at least one question, a row for each of the first SHEET."""
    shown = views[:SHEET]
    columns = max(len(view.thumbnails) for view in shown)
    pictures = [i.picture for view in shown for i in view.thumbnails if i.picture is not None]
    height = max(picture.shape[0] for picture in pictures) + TITLE + GAP
    width = max(picture.shape[1] for picture in pictures) + GAP
    sheet = np.full((height * len(shown) + GAP, width * columns + GAP, 3), 255, np.uint8)
    for row, view in enumerate(shown):
        for column, item in enumerate(view.thumbnails):
            y, x = GAP + row * height, GAP + column * width
            _put(sheet[y : y + height, x : x + width], view.number, item)
    _, data = cv2.imencode('.png', sheet[..., ::-1])
    path.write_bytes(data.tobytes())


def _put(cell: Image, number: int, item: Thumbnail) -> None:
    """Draw one picture below its title."""
    text = f'{number}. {item.title}' + ('' if item.picture is not None else ': not recorded')
    black = (0, 0, 0)
    cv2.putText(cell, text, (0, 18), cv2.FONT_HERSHEY_SIMPLEX, 0.5, black, 1, cv2.LINE_AA)
    if item.picture is not None:
        cell[TITLE : TITLE + item.picture.shape[0], : item.picture.shape[1]] = item.picture
