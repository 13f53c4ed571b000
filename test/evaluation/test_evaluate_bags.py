from collections.abc import Callable
from math import inf
from pathlib import Path

import pytest
from recordings import STATE
from recordings import diagnostics
from recordings import stamp_of
from recordings import usual_messages

from lazy_vos_ros.engine.config import LazyConfig
from lazy_vos_ros.evaluation.evaluate_bags import evaluate_bag
from lazy_vos_ros.evaluation.evaluate_bags import names_of

WriteBag = Callable[..., Path]
DIAGNOSTICS = 'diagnostic_msgs/msg/DiagnosticArray'


@pytest.mark.parametrize(
    ('paths', 'names'),
    [
        (['/a/bag'], ['bag']),
        (['/a/one', '/b/two'], ['one', 'two']),
        (['/a/bag', '/b/bag'], ['a_bag', 'b_bag']),
        (['/x/a/bag', '/y/a/bag', '/y/c/bag'], ['bag_1', 'bag_2', 'bag_3']),
        (['/a/bag', '/a/bag'], ['bag_1', 'bag_2']),
        (['/a/bag', '/a/bag', '/a/bag_1'], ['bag_1', 'bag_2', 'bag_1_3']),
        (['/bag', '/a/bag'], ['bag', 'a_bag']),
    ],
)
def test_names_are_short_and_each_is_once(paths: list[str], names: list[str]):
    assert names_of([Path(path) for path in paths]) == names


def test_run_knows_its_questions_pictures_and_times(write_bag: WriteBag):
    run = evaluate_bag(write_bag(usual_messages()), 'monday')
    (question,) = run.questions
    assert question.reaction == pytest.approx(0.75, abs=1e-5)
    assert run.frame_near(question.asked.stamp).index == 4
    assert run.seconds(run.run.frames[3]) == pytest.approx(0.6)
    pictures = run.pictures(run.run.frames[2])
    assert pictures.image is not None
    assert pictures.labels is not None
    assert pictures.entropy is not None
    assert run.iou(1, run.run.frames[2]) is None
    assert run.about['init'] == 'click'
    assert run.about['recorded'] == '2023-11-14 22:13:20 UTC'
    assert run.missing == ()


def test_thresholds_without_bound_are_understood(write_bag: WriteBag):
    told = diagnostics('lazy_vos', tau_u='inf', questions_per_minute='6.0', max_questions='4')
    bag = write_bag([*usual_messages(), ('/diagnostics', DIAGNOSTICS, stamp_of(20), told)])
    config = evaluate_bag(bag, 'bag').config
    assert (config.tau_u, config.questions_per_minute, config.max_questions) == (inf, 6.0, 4)


def test_thresholds_that_are_not_allowed_are_noted(write_bag: WriteBag):
    told = diagnostics('lazy_vos', tau_u='much')
    bag = write_bag([*usual_messages(), ('/diagnostics', DIAGNOSTICS, stamp_of(20), told)])
    run = evaluate_bag(bag, 'bag')
    assert run.config == LazyConfig()
    assert "the recorded thresholds are not used: tau_u is 'much'" in run.missing[0]


def test_bag_without_any_result_is_refused(write_bag: WriteBag):
    messages = [item for item in usual_messages() if item[1] != STATE]
    bag = write_bag(messages, topics=(('/lazy_vos/tracking_state', STATE),))
    with pytest.raises(ValueError, match='has no result of the tracker'):
        evaluate_bag(bag, 'bag')
    file = next(bag.glob('*.mcap'))
    file.write_bytes(file.read_bytes()[:-9])
    with pytest.raises(ValueError, match=r'of the tracker \(.*is not whole'):
        evaluate_bag(bag, 'bag')


def test_picture_that_cannot_be_read_is_none(write_bag: WriteBag):
    messages = usual_messages()
    for item in messages:
        if item[0] == '/image':
            item[3].encoding = 'yuv422'
    run = evaluate_bag(write_bag(messages), 'bag')
    pictures = run.pictures(run.run.frames[0])
    assert pictures.image is None
    assert pictures.labels is not None
