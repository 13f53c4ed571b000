from collections.abc import Callable
from pathlib import Path
from statistics import fmean

import painted
import pytest

from lazy_vos_ros.evaluation.benchmark.attendance import scheduled_frames
from lazy_vos_ros.evaluation.benchmark.truth import GroundTruth


@pytest.fixture
def truth(tmp_path: Path, files: Callable) -> GroundTruth:
    """Two objects, one from frame 0 and one from frame 4; frame 6 is not annotated."""
    one, two = painted.box(2), painted.box(22)
    frames = [{1: one}] * 4 + [{1: one, 2: two}] * 16
    painted.write_folders(tmp_path, {'a': frames}, annotated=set(range(20)) - {6})
    return GroundTruth(files(tmp_path))


def test_regular_corrections_count_from_the_first_frame_of_each_object(truth, settings: Callable):
    frames = scheduled_frames(settings('interval:3'), truth, name='a', seed=0)
    assert frames == {1: {3, 9, 12, 15, 18}, 2: {7, 10, 13, 16, 19}}


def test_drawn_frames_depend_on_seed_sequence_and_object_alone(truth, settings: Callable):
    method = settings('rand-lazy')
    drawn = scheduled_frames(method, truth, name='a', seed=0)
    assert scheduled_frames(settings('rand-lazy', size=99), truth, name='a', seed=0) == drawn
    assert scheduled_frames(method, truth, name='a', seed=1) != drawn
    assert scheduled_frames(method, truth, name='b', seed=0) != drawn
    assert drawn[1] != drawn[2]


def test_drawn_frames_have_truth_and_come_after_the_first_one(truth, settings: Callable):
    for seed in range(20):
        drawn = scheduled_frames(settings('rand-lazy'), truth, name='a', seed=seed)
        assert drawn[1] <= set(range(1, 20)) - {6}
        assert drawn[2] <= set(range(5, 20)) - {6}


@pytest.mark.parametrize('mean', [0.0, 2.0])
def test_mean_number_of_drawn_frames(truth, settings: Callable, mean: float):
    counts = [
        len(frames)
        for seed in range(200)
        for frames in scheduled_frames(
            settings('rand-lazy', random_mean=mean), truth, name='a', seed=seed
        ).values()
    ]
    assert fmean(counts) == pytest.approx(mean, abs=0.25)  # 3.5 standard errors


def test_no_more_are_drawn_than_there_are(truth, settings: Callable):
    drawn = scheduled_frames(settings('rand-lazy', random_mean=500), truth, name='a', seed=0)
    assert drawn == {1: set(range(1, 20)) - {6}, 2: set(range(5, 20)) - {6}}
