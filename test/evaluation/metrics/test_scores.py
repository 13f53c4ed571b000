from math import inf
from math import nan

import pytest

from lazy_vos_ros.evaluation import metrics

IOUS = [1.0, 0.5, 0.25, 0.1, 0.0]


def test_recall_counts_frames_at_the_threshold():
    found = [metrics.recall_at(IOUS, tau, skip_first=False) for tau in metrics.RECALL_THRESHOLDS]
    assert found == [0.8, 0.6, 0.4]


def test_first_frame_is_skipped_by_default():
    assert metrics.recall_at(IOUS, 0.5) == 0.25
    assert metrics.recall_at(IOUS, 0.1, skip_last=True) == 1.0
    with pytest.raises(ValueError, match='none of 0 frames is left'):
        metrics.recall_at([], 0.5)


@pytest.mark.parametrize('tau', [0.0, -0.5, 1.1, nan])
def test_wrong_threshold_is_refused(tau: float):
    with pytest.raises(ValueError, match='allowed: above 0, at most 1'):
        metrics.recall_at(IOUS, tau)


def test_frame_range_of_the_mean():
    scores = [1.0, 0.2, 0.4, 0.9]
    assert metrics.mean_over_frames(scores) == pytest.approx(0.5)
    assert metrics.mean_over_frames(scores, skip_last=True) == pytest.approx(0.3)
    assert metrics.mean_over_frames(scores, skip_first=False) == pytest.approx(0.625)
    with pytest.raises(ValueError, match='none of 1 frames is left'):
        metrics.mean_over_frames([1.0])
    with pytest.raises(ValueError, match='none of 2 frames is left'):
        metrics.mean_over_frames([1.0, 1.0], skip_last=True)


def test_absent_frames_count_unless_asked_not_to():
    # Absent in frames 2 and 3: predicted rightly in the one, wrongly in the other.
    ious, present = [1.0, 0.6, 1.0, 0.0, 0.2], [True, True, False, False, True]
    assert metrics.recall_at(ious, 0.5) == 0.5
    assert metrics.recall_at(ious, 0.5, present=present) == 0.5
    assert metrics.recall_at(ious, 0.1, present=present) == 1.0
    assert metrics.recall_at(ious, 0.1) == 0.75
    assert metrics.mean_over_frames(ious, present=present) == pytest.approx(0.4)


def test_present_skips_the_first_frame_of_the_life_not_the_first_present_one():
    present = [False, True, True]
    assert metrics.scored_frames([0.1, 0.2, 0.3], present=present) == [0.2, 0.3]


def test_object_that_is_absent_in_all_frames_has_no_score():
    with pytest.raises(ValueError, match='in which the object is present'):
        metrics.mean_over_frames([1.0, 1.0], present=[True, False])
    with pytest.raises(ValueError, match='absent in all 3 frames'):
        metrics.first_appearance([False] * 3)
    with pytest.raises(ValueError, match='absent in all 0 frames'):
        metrics.first_appearance([])
    assert metrics.first_appearance([False, False, True, False]) == 2


@pytest.mark.parametrize('wrong', [nan, inf, -0.1, 1.01])
def test_scores_that_are_none_are_refused_wherever_they_are(wrong: float):
    for place in range(3):
        scores = [0.5, 0.5, 0.5]
        scores[place] = wrong
        with pytest.raises(ValueError, match=f'score of frame {place} is'):
            metrics.mean_over_frames(scores)
        with pytest.raises(ValueError, match=f'score of frame {place} is'):
            metrics.recall_at(scores, 0.5)


def test_presence_must_be_told_for_every_frame():
    with pytest.raises(ValueError, match='3 scores and 2 marks of presence'):
        metrics.mean_over_frames([1.0, 1.0, 1.0], present=[True, True])
