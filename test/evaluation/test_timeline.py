from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from test_summary import usual_run

from lazy_vos_ros.engine.config import LazyConfig
from lazy_vos_ros.evaluation import timeline
from lazy_vos_ros.evaluation.runs import Frame
from lazy_vos_ros.evaluation.runs import Run
from lazy_vos_ros.evaluation.timeline import draw_timeline


def test_timeline_is_a_picture_with_panels_for_each_object(tmp_path: Path):
    draw_timeline(usual_run(), tmp_path / 'two.png')
    picture = cv2.imread(str(tmp_path / 'two.png'))
    height = round(120 * (timeline.MARGIN + 2 * 4.6))
    assert picture.shape == (height, 1440, 3)
    assert picture.std() > 10


def test_every_kind_of_event_can_be_drawn(tmp_path: Path):
    run = usual_run()
    kinds = [replace(run.events[0], kind=kind) for kind in timeline.MARKS]
    draw_timeline(replace(run, events=tuple(kinds)), tmp_path / 'a.png')
    assert (tmp_path / 'a.png').stat().st_size > 10_000


def test_question_spans_from_its_frame_to_its_answer():
    run = usual_run()
    answered, open_at_the_end = run.events[1], run.events[13]
    assert timeline._span(run, answered) == pytest.approx((0.4, 0.9))
    assert timeline._span(run, open_at_the_end) == pytest.approx((1.8, 2.0))


def test_absence_is_where_the_mask_has_no_pixel():
    run = usual_run()
    gone = [
        replace(f, objects=(replace(f.objects[0], area=0),)) if 3 <= f.index <= 5 else f
        for f in run.frames
    ]
    found = list(timeline._absences(gone, 1))
    assert found == [pytest.approx((0.3, 0.5))]
    assert list(timeline._absences(run.frames, 1)) == []


def test_thresholds_that_are_off_are_not_drawn(tmp_path: Path):
    never = replace(LazyConfig(), tau_u=float('inf'), tau_m=float('inf'))
    draw_timeline(usual_run(), tmp_path / 'never.png', never)
    draw_timeline(usual_run(), tmp_path / 'usual.png')
    pictures = [cv2.imread(str(tmp_path / f'{name}.png')) for name in ('never', 'usual')]
    vermilion = [np.all(np.abs(p.astype(int) - (0, 94, 213)) < 30, axis=2) for p in pictures]
    # Markers of questions have the same colour in both; lines over the whole width do not.
    assert vermilion[1].sum() > vermilion[0].sum() + 300


def test_run_without_objects_is_refused(tmp_path: Path):
    with pytest.raises(ValueError, match='has no tracked object'):
        draw_timeline(Run('nothing', (), ()), tmp_path / 'x.png')


def test_iou_is_drawn_where_it_is_known(tmp_path: Path):
    run = usual_run()
    asked = []

    def iou(object_id: int, frame: Frame) -> float | None:
        asked.append((object_id, frame.index))
        return 0.8 if frame.index % 2 else None

    draw_timeline(run, tmp_path / 'with.png', iou=iou, objects=[1])
    draw_timeline(run, tmp_path / 'without.png', iou=lambda *_: None, objects=[1])
    pictures = [cv2.imread(str(tmp_path / f'{name}.png')) for name in ('with', 'without')]
    green = [np.all(np.abs(p.astype(int) - (115, 158, 0)) < 30, axis=2).sum() for p in pictures]
    assert green[0] > green[1] + 500
    assert pictures[0].shape[0] == round(120 * (timeline.MARGIN + 4.6)), 'object 1 alone'
    assert asked == [(1, frame.index) for frame in run.life(1)]


def test_names_of_objects_are_no_formulas(tmp_path: Path):
    run = usual_run()
    strange = [replace(state, label='$\\frac{') for state in run.frames[0].objects]
    frames = (replace(run.frames[0], objects=tuple(strange)),)
    draw_timeline(replace(run, frames=frames, events=()), tmp_path / 'a.png')
    assert (tmp_path / 'a.png').exists()
