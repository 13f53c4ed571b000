import os
from pathlib import Path

import numpy as np
import pytest

from lazy_vos_ros.evaluation import metrics

SHARED = Path(os.environ.get('LAZY_VOS_SHARED', Path(__file__).parents[3] / '..' / 'shared'))
OFFICIAL = SHARED / 'golden' / 'official' / 'jf_metrics.npz'


def box(rows: slice, columns: slice, shape=(40, 50)) -> np.ndarray:
    mask = np.zeros(shape, bool)
    mask[rows, columns] = True
    return mask


EMPTY = np.zeros((40, 50), bool)
SQUARE = box(slice(10, 20), slice(10, 20))


@pytest.mark.skipif(not OFFICIAL.exists(), reason=f'{OFFICIAL} is not here')
def test_equals_the_official_davis_values():
    with np.load(OFFICIAL) as golden:
        pairs = list(zip(golden['gt'] > 0, golden['pred'] > 0, strict=True))
        assert [metrics.jaccard(g, p) for g, p in pairs] == golden['J'].tolist()
        assert [metrics.boundary_f(g, p) for g, p in pairs] == golden['F'].tolist()


@pytest.mark.parametrize(
    ('prediction', 'expected'),
    [
        (SQUARE, 1.0),
        (EMPTY, 0.0),
        (box(slice(10, 20), slice(15, 25)), 50 / 150),
        (box(slice(10, 20), slice(20, 30)), 0.0),
        (box(slice(0, 40), slice(0, 50)), 100 / 2000),
    ],
)
def test_jaccard_of_boxes(prediction: np.ndarray, expected: float):
    assert metrics.jaccard(SQUARE, prediction) == pytest.approx(expected, abs=0)
    assert metrics.jaccard(prediction, SQUARE) == pytest.approx(expected, abs=0)


def test_boundary_lies_to_the_top_left():
    expected = EMPTY.copy()
    expected[9, 9:20] = True
    expected[9:20, 9] = True
    expected[19, 9:20] = True
    expected[9:20, 19] = True
    assert np.array_equal(metrics.boundary(SQUARE), expected)


def test_image_border_is_no_boundary():
    assert not metrics.boundary(np.ones((4, 5), bool)).any()
    half = box(slice(0, 4), slice(0, 2), (4, 5))
    assert np.array_equal(np.argwhere(metrics.boundary(half))[:, 1], [1, 1, 1, 1])


@pytest.mark.parametrize(('shift', 'matches'), [(1, True), (2, False)])
def test_boundary_f_tolerates_one_pixel_here(shift: int, matches: bool):
    # ceil(0.008 * hypot(40, 50)) = 1: vertical lines 1 apart match wholly, 2 apart not at all.
    left = box(slice(0, 40), slice(0, 20))
    right = box(slice(0, 40), slice(0, 20 + shift))
    assert metrics.boundary_f(left, right) == float(matches)


def test_boundary_f_of_half_a_line_by_hand():
    # The prediction has the lower half of the true vertical line and no line in the upper half:
    # above, everything is object, so a horizontal line joins it.
    truth = box(slice(0, 40), slice(0, 20))
    prediction = truth | box(slice(0, 20), slice(0, 50))
    true_line = 40
    predicted_line = 20 + 31 - 1  # column 19 from row 20; row 19 from column 19; one corner
    near_truth = 20 + 2  # the horizontal line within 1 pixel of column 19: columns 19 and 20
    near_predicted = 20 + 2  # rows 18 and 19 are near to the horizontal line
    precision, recall = near_truth / (predicted_line + 1), near_predicted / true_line
    expected = 2 * precision * recall / (precision + recall)
    assert np.count_nonzero(metrics.boundary(prediction)) == predicted_line + 1
    assert metrics.boundary_f(truth, prediction) == pytest.approx(expected, rel=1e-12)


def test_empty_masks_have_the_stated_scores():
    assert (metrics.jaccard(EMPTY, EMPTY), metrics.boundary_f(EMPTY, EMPTY)) == (1.0, 1.0)
    assert (metrics.jaccard(SQUARE, EMPTY), metrics.boundary_f(SQUARE, EMPTY)) == (0.0, 0.0)
    assert (metrics.jaccard(EMPTY, SQUARE), metrics.boundary_f(EMPTY, SQUARE)) == (0.0, 0.0)


@pytest.mark.parametrize('measure', [metrics.jaccard, metrics.boundary_f])
def test_wrong_masks_are_refused(measure):
    with pytest.raises(ValueError, match='allowed: masks of one size'):
        measure(EMPTY, EMPTY[:-1])
    with pytest.raises(ValueError, match=r'prediction is \(40, 50\) of type uint8'):
        measure(EMPTY, EMPTY.astype(np.uint8))
    with pytest.raises(ValueError, match='ground truth is'):
        measure(EMPTY[None], EMPTY[None])
    with pytest.raises(ValueError, match=r'ground truth is \(0, 50\)'):
        measure(EMPTY[:0], EMPTY[:0])


@pytest.mark.parametrize('wrong', [float('nan'), -0.1, 1.5])
def test_wrong_tolerance_is_refused(wrong: float):
    with pytest.raises(ValueError, match='allowed: 0 to 1 of the diagonal'):
        metrics.boundary_f(SQUARE, SQUARE, tolerance=wrong)


def test_j_and_f_is_their_mean():
    assert metrics.j_and_f(0.5, 0.75) == 0.625
