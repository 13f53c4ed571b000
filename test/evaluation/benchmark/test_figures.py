import json
from dataclasses import replace

import pytest

from lazy_vos_ros.evaluation.benchmark.figures import FrameRule
from lazy_vos_ros.evaluation.benchmark.figures import mean_figures
from lazy_vos_ros.evaluation.benchmark.figures import object_figures
from lazy_vos_ros.evaluation.benchmark.figures import over_seeds
from lazy_vos_ros.evaluation.benchmark.records import ObjectRecord
from lazy_vos_ros.evaluation.benchmark.records import SequenceRecord

GOOD = ObjectRecord(
    object_id=1,
    first=0,
    frames=11,
    scored=(0, 1, 2, 10),
    present=(True, True, False, True),
    j=(1.0, 0.6, 1.0, 0.2),
    f=(1.0, 0.4, 1.0, 0.0),
    corrections=(2, 4),
    events={'asked': 2},
)
UNSCORED = replace(
    GOOD, object_id=2, first=5, frames=6, scored=(0,), present=(True,), j=(1.0,), f=(1.0,),
    corrections=(),
)  # fmt: skip
ALWAYS_BAD = replace(GOOD, object_id=3, j=(1.0, 0.0, 0.0, 0.0), f=(1.0, 0.0, 0.0, 0.0))


def record(*objects, name='a', frames=11, seconds=2.0):
    return SequenceRecord(name, 0, frames, seconds, 'b', 'r', 'cpu', {}, objects)


def test_first_frame_is_left_out_by_default():
    figures = object_figures(GOOD, FrameRule(), fps=10.0)
    assert figures['J'] == pytest.approx(0.6)
    assert figures['F'] == pytest.approx(1.4 / 3)
    assert figures['J&F'] == pytest.approx((0.6 + 1.4 / 3) / 2)
    assert figures['R@0.1'] == 1
    assert figures['R@0.25'] == pytest.approx(2 / 3)
    assert figures['R@0.5'] == pytest.approx(2 / 3)


def test_other_choices_of_frames():
    def j(rule):
        return object_figures(GOOD, rule, fps=10.0)['J']

    assert j(FrameRule(skip_first=False)) == pytest.approx(0.7)
    assert j(FrameRule(skip_last=True)) == pytest.approx(0.8)
    assert j(FrameRule(present_only=True)) == pytest.approx(0.4)


def test_last_frame_of_the_video_not_the_last_annotated_one():
    item = replace(GOOD, frames=12)
    rule = FrameRule(skip_last=True)
    assert object_figures(item, rule, fps=10.0)['J'] == pytest.approx(0.6)


def test_effort_counts_all_frames_of_a_life():
    figures = object_figures(GOOD, FrameRule(), fps=10.0)
    assert figures['NoC'] == 2
    assert figures['IDI'] == pytest.approx(1.0 / 3)
    assert figures['ACI'] == pytest.approx(2 + 4 / 11)
    assert figures['median gap'] == pytest.approx(0.2)
    assert figures['quick share'] == 1


def test_objects_that_cannot_be_scored_are_left_out_of_qualities_only():
    assert object_figures(UNSCORED, FrameRule(), fps=10.0)['J'] is None
    mean = mean_figures([record(GOOD, UNSCORED)], FrameRule(), fps=10.0)
    assert mean['J'] == pytest.approx(0.6)
    assert mean['objects'] == 2
    assert mean['scored objects'] == 1
    assert mean['NoC'] == 2
    assert mean['IDI'] == pytest.approx((1.0 + 0.5) / 4)
    nothing = mean_figures([record(UNSCORED)], FrameRule(), fps=10.0)
    assert nothing['J&F'] is None
    assert nothing['NoC'] == 0


def test_mean_is_over_objects_not_over_sequences():
    one = record(GOOD)
    two = record(ALWAYS_BAD, replace(ALWAYS_BAD, object_id=4), name='b', seconds=3.5)
    mean = mean_figures([one, two], FrameRule(), fps=10.0)
    assert mean['J'] == pytest.approx(0.2)
    assert mean['NoC'] == 6
    assert mean['ACI'] == pytest.approx(2 + 4 / 11)
    assert mean['fps'] == pytest.approx(22 / 5.5)


def test_spread_over_seeds():
    seeds = [{'J': 0.2, 'F': None}, {'J': 0.4, 'F': None}, {'J': 0.6, 'F': None}]
    mean, spread = over_seeds(seeds)
    assert mean == {'J': pytest.approx(0.4), 'F': None}
    assert spread == {'J': pytest.approx(0.2)}
    assert over_seeds(seeds[:1]) == (seeds[0], {})


def test_record_survives_a_file_exactly():
    before = record(replace(GOOD, j=(1.0, 1 / 3, 0.1, 2 / 7)), UNSCORED)
    assert SequenceRecord.from_json(json.loads(json.dumps(before.to_json()))) == before


@pytest.mark.parametrize('content', [{}, {'objects': [{}]}, {'objects': 3}, {'objects': [7]}])
def test_what_is_no_record(content):
    with pytest.raises(ValueError, match='this is no record of a sequence'):
        SequenceRecord.from_json(content)
