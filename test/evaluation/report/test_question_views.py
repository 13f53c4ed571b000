from dataclasses import replace

import numpy as np
import pytest
import recordings
from evaluated import Drawn
from evaluated import asked
from evaluated import evaluated
from evaluated import event
from evaluated import frame
from evaluated import run_of
from evaluated import state

from lazy_vos_ros.engine.clicks import Click
from lazy_vos_ros.engine.results import Action
from lazy_vos_ros.engine.results import EventKind
from lazy_vos_ros.evaluation.bags import read_run
from lazy_vos_ros.evaluation.report.crops import LARGEST
from lazy_vos_ros.evaluation.report.crops import box_of
from lazy_vos_ros.evaluation.report.crops import heat_crop
from lazy_vos_ros.evaluation.report.crops import overlay_crop
from lazy_vos_ros.evaluation.report.crops import region
from lazy_vos_ros.evaluation.report.question_views import chosen
from lazy_vos_ros.evaluation.report.question_views import frames_around
from lazy_vos_ros.evaluation.report.question_views import question_views


def test_chosen_questions_are_spread_from_the_first_to_the_last():
    assert chosen(3, 24) == [0, 1, 2]
    assert chosen(100, 3) == [0, 50, 99]
    assert chosen(0, 5) == []
    assert chosen(7, 0) == []
    assert len(chosen(1000, 24)) == 24


def test_late_answer_shows_in_the_first_frame_processed_with_it():
    run = evaluated(run_of([frame(i) for i in range(12)], asked(4, later=3)))
    before, after = frames_around(run, run.questions[0])
    assert (before.index, after.index) == (4, 8), 'it took effect when frame 7 was the newest'


def test_answer_within_the_frame_is_compared_with_the_frame_before():
    frames = [
        frame(i, state(action=Action.CORRECTED if i == 4 else Action.NONE)) for i in range(9)
    ]
    run = evaluated(run_of(frames, asked(4, later=0)))
    before, after = frames_around(run, run.questions[0])
    assert (before.index, after.index) == (3, 4)
    (view,) = question_views(run, 'run-1', 5)
    assert [item.title for item in view.thumbnails][2:] == ['Mask before', 'Mask after']
    assert 'the answer came within the frame' in view.thumbnails[2].caption
    assert 'the same frame' in view.thumbnails[3].caption


def test_answer_after_the_last_frame_has_no_after():
    run = evaluated(run_of([frame(i) for i in range(8)], asked(4, later=3)))
    assert frames_around(run, run.questions[0])[1] is None


def test_question_about_an_object_that_is_not_tracked_any_more():
    events = [replace(item, object_id=9) for item in asked(3)]
    run = evaluated(run_of([frame(i) for i in range(9)], events))
    (view,) = question_views(run, 'run-1', 5)
    assert view.heading == 'Question 1: object 9, 0.6 s, frame 3'
    assert 'No pixel.' in view.thumbnails[2].caption


def test_own_correction_of_the_frame_is_told():
    frames = [frame(i) for i in range(9)]
    (plain,) = question_views(evaluated(run_of(frames, asked(3))), 'r', 5)
    events = [*asked(3), event(EventKind.PSEUDO, 3)]
    (own,) = question_views(evaluated(run_of(frames, events)), 'r', 5)
    assert 'corrected it itself' not in plain.thumbnails[2].caption
    assert 'corrected it itself' in own.thumbnails[2].caption


def test_masks_of_another_size_than_the_image_are_no_picture():
    pictures = Drawn()
    pictures.labels = lambda stamp: np.ones((4, 4), np.uint16)
    run = evaluated(run_of([frame(i) for i in range(9)], asked(3), pictures=pictures))
    (view,) = question_views(run, 'r', 5)
    assert [item.picture is None for item in view.thumbnails] == [False, False, True, True]


@pytest.mark.parametrize(
    ('boxes', 'clicks', 'expected'),
    [
        ([], [], (0, 0, 200, 100)),
        ([None], [], (0, 0, 200, 100)),
        ([(100, 50, 10, 10)], [], (65, 35, 80, 40)),
        ([(0, 0, 4, 4)], [], (0, 0, 80, 40)),
        ([(190, 90, 10, 10)], [], (120, 60, 80, 40)),
        ([], [Click(100.0, 50.0)], (60, 30, 80, 40)),
        ([(0, 0, 20, 20), (150, 50, 50, 50)], [], (0, 0, 200, 100)),
    ],
)
def test_region_holds_what_matters_and_stays_inside(boxes, clicks, expected):
    assert region((200, 100), boxes, clicks) == expected


def test_box_of_an_object():
    labels = np.zeros((10, 20), np.uint16)
    labels[2:5, 3:9] = 7
    assert box_of(labels, 7) == (3, 2, 6, 3)
    assert box_of(labels, 1) is None
    assert box_of(None, 7) is None


def test_click_is_drawn_where_it_was():
    image = np.full((100, 200, 3), 90, np.uint8)
    drawn = overlay_crop(image, None, (100, 50, 100, 50), [Click(150.0, 75.0), Click(3.0, 3.0)])
    rows, columns = np.nonzero((drawn != 90).any(axis=2))
    assert drawn.shape == (240, 480, 3)
    scale = 480 / 100
    assert columns.mean() == pytest.approx(50.5 * scale - 0.5, abs=1.0)
    assert rows.mean() == pytest.approx(25.5 * scale - 0.5, abs=1.0)


@pytest.mark.parametrize('shape', [(1080, 1920), (2000, 300), (16, 24), (1, 1)])
def test_thumbnails_are_never_larger_than_allowed(shape):
    picture = heat_crop(np.full(shape, np.nan, np.float32), (0, 0, shape[1], shape[0]))
    assert picture.shape[0] <= LARGEST[1]
    assert picture.shape[1] <= LARGEST[0]
    assert len(np.unique(picture.reshape(-1, 3), axis=0)) == 1, 'no number reads as sure'


def test_mask_of_a_replay_is_that_of_the_frozen_frame(write_bag):
    repaired = np.zeros((recordings.SIZE[1], recordings.SIZE[0]), np.uint8)
    repaired[1:11, 1:13] = 1
    message = recordings.image(4, repaired, 'mono8')
    later = recordings.stamp_of(20)
    messages = recordings.usual_messages()
    messages.append(('/lazy_vos/repaired_mask', recordings.IMAGE, later, message))
    for written, name, words in (
        (messages[:-1], 'memory', 'First mask with the answer: frame 9, 1.0 s later. 16 pixels.'),
        (messages, 'replay', 'The same frame, tracked again from the answer. 120 pixels.'),
    ):
        (view,) = question_views(evaluated(read_run(write_bag(written, name=name))), 'r', 5)
        assert view.thumbnails[3].caption == words
