from pathlib import Path

import numpy as np
import pytest

from lazy_vos_ros.engine.clicks import Click
from lazy_vos_ros.engine.results import Absent
from lazy_vos_ros.engine.results import Skip
from lazy_vos_ros.evaluation.operators import RecordedClicks
from lazy_vos_ros.evaluation.operators import gt_center
from lazy_vos_ros.evaluation.operators import largest_error


def box(rows: slice, columns: slice) -> np.ndarray:
    mask = np.zeros((20, 30), bool)
    mask[rows, columns] = True
    return mask


EMPTY = np.zeros((20, 30), bool)
TRUTH = box(slice(4, 9), slice(10, 21))


def test_gt_center_clicks_the_object_wherever_the_prediction_is():
    for prediction in (EMPTY, TRUTH, box(slice(0, 3), slice(0, 3))):
        assert gt_center(TRUTH, prediction) == Click(15, 6, positive=True)


def test_gt_center_of_an_absent_object_clicks_away_the_prediction():
    prediction = box(slice(2, 5), slice(3, 6))
    assert gt_center(EMPTY, prediction) == Click(4, 3, positive=False)


def test_gt_center_without_anything_to_click_is_absent():
    assert gt_center(EMPTY, EMPTY) == Absent()


def test_largest_error_clicks_the_missed_part():
    prediction = box(slice(4, 9), slice(10, 16))  # misses columns 16..20
    assert largest_error(TRUTH, prediction) == Click(18, 6, positive=True)


def test_largest_error_clicks_away_the_excess():
    prediction = TRUTH | box(slice(12, 19), slice(0, 9))
    assert largest_error(TRUTH, prediction) == Click(4, 15, positive=False)


def test_largest_error_compares_connected_regions_not_sums():
    # 3 single missed pixels against one excess region of 2 pixels.
    prediction = TRUTH.copy()
    prediction[[5, 5, 7], [12, 18, 14]] = False
    prediction[15, 25:27] = True
    assert largest_error(TRUTH, prediction) == Click(25, 15, positive=False)


def test_largest_error_does_not_join_touching_errors_of_two_kinds():
    # The prediction is shifted by 2: a missed strip of 10 pixels, an excess strip of 10.
    prediction = box(slice(4, 9), slice(12, 23))
    click = largest_error(TRUTH, prediction)
    assert click == Click(10, 6, positive=True)


def test_largest_error_of_a_perfect_mask_confirms_it():
    assert largest_error(TRUTH, TRUTH) == Click(15, 6, positive=True)
    assert largest_error(EMPTY, EMPTY) == Absent()


@pytest.mark.parametrize('operator', [gt_center, largest_error])
def test_masks_of_two_sizes_are_refused(operator):
    with pytest.raises(ValueError, match=r'allowed: masks of one size'):
        operator(TRUTH, np.zeros((20, 31), bool))
    with pytest.raises(ValueError, match=r'of type uint8; allowed: \(H, W\) of type bool'):
        operator(TRUTH.astype(np.uint8), TRUTH)


GOOD = """
fps: 10.0
objects:
  1:
    label: cyclist
    centres:
      - [0, 100, 50]
      - [10, 120, 40]
      - [15, absent]
      - [20, 200, 60]
  2:
    centres: [[5, 7.5, 8]]
"""


@pytest.fixture
def recorded(tmp_path: Path) -> RecordedClicks:
    (tmp_path / 'clicks.yaml').write_text(GOOD)
    return RecordedClicks.load(tmp_path / 'clicks.yaml')


@pytest.mark.parametrize(
    ('frame', 'expected'),
    [
        (0, Click(100, 50)),
        (5, Click(110, 45)),
        (2.5, Click(105, 47.5)),
        (10, Click(120, 40)),
        (14.9, Click(120, 40)),
        (15, Absent()),
        (19.9, Absent()),
        (20, Click(200, 60)),
        (-1, Skip()),
        (20.5, Skip()),
    ],
)
def test_recorded_clicks_are_interpolated(recorded: RecordedClicks, frame: float, expected):
    assert recorded.at(frame, 1) == expected


def test_recorded_clicks_know_their_objects(recorded: RecordedClicks):
    assert recorded.object_ids == (1, 2)
    assert recorded.label(1) == 'cyclist'
    assert recorded.label(2) == ''
    assert recorded.at(5, 2) == Click(7.5, 8)
    assert recorded.at(6, 2) == Skip()
    assert recorded.at(5, 3) == Skip()
    assert recorded.fps == 10.0


ROWS = 'fps: 1\nobjects: {1: {centres: %s}}'


@pytest.mark.parametrize(
    ('text', 'message'),
    [
        ('', 'a mapping with fps and objects'),
        ('- 1', 'a mapping with fps and objects'),
        ('fps: [', 'is no YAML file'),
        ('fps: fast\nobjects: {1: {centres: [[0, 1, 2]]}}', "fps is 'fast'; allowed: a number"),
        ('fps: 0\nobjects: {1: {centres: [[0, 1, 2]]}}', 'fps is 0'),
        ('objects: {1: {centres: [[0, 1, 2]]}}', 'fps is None'),
        ('fps: 1\nobjects: {cat: {centres: [[0, 1, 2]]}}', "object 'cat'; allowed: ids"),
        ('fps: 1\nobjects: {1: }', 'object 1 has no list of centres'),
        (ROWS % '[]', 'object 1 has no list of centres'),
        (ROWS % '[[0, 1, 2], [0, 1, 2]]', 'row 2 is frame 0; allowed: above 0'),
        (ROWS % '[[0, 1]]', r'row 1 is \[0, 1\]; allowed: \[frame, x, y\]'),
        (ROWS % '[[0.5, 1, 2]]', 'row 1 is'),
        (ROWS % '[[]]', r'row 1 is \[\]'),
        (ROWS % '[[0, 1, .nan]]', 'row 1: y is nan'),
        (ROWS % '[[0, gone]]', 'or .frame, absent.'),
    ],
)
def test_wrong_recordings_are_refused(tmp_path: Path, text: str, message: str):
    path = tmp_path / 'wrong.yaml'
    path.write_text(text)
    with pytest.raises(ValueError, match=rf'wrong\.yaml.*{message}'):
        RecordedClicks.load(path)


def test_absent_recording_is_named(tmp_path: Path):
    with pytest.raises(ValueError, match=r'none\.yaml does not exist'):
        RecordedClicks.load(tmp_path / 'none.yaml')
