from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest
from evaluated import asked
from evaluated import evaluated
from evaluated import event
from evaluated import frame
from evaluated import run_of
from evaluated import state
from evaluated import usual
from evaluated import with_truth

from lazy_vos_ros.engine.config import LazyConfig
from lazy_vos_ros.engine.results import EventKind
from lazy_vos_ros.evaluation.report.curves import curves_of
from lazy_vos_ros.evaluation.report.curves import samples
from lazy_vos_ros.evaluation.report.marks import LANES
from lazy_vos_ros.evaluation.report.marks import MARKS
from lazy_vos_ros.evaluation.report.svg import SHAPES
from lazy_vos_ros.evaluation.report.timeline_svg import NARROW
from lazy_vos_ros.evaluation.report.timeline_svg import WIDE
from lazy_vos_ros.evaluation.report.timeline_svg import timeline_svg
from lazy_vos_ros.evaluation.report.words import KINDS


def draw(run, config=None, form=WIDE, span=3.8, anchors=None):
    text = timeline_svg(curves_of(run, 1), config or LazyConfig(), span, form, anchors or {})
    return ElementTree.fromstring(text)


def of_class(root, name: str):
    return [item for item in root.iter() if name in item.get('class', '').split()]


def test_every_kind_of_event_has_a_mark_of_its_own():
    names = set(EventKind.__members__)
    assert names <= set(MARKS) & set(KINDS)
    for lane in LANES:
        shapes = [mark.shape for mark in MARKS.values() if mark.lane == lane]
        assert len(set(shapes)) == len(shapes), 'told apart without colours'
    assert {mark.shape for mark in MARKS.values()} <= set(SHAPES)


@pytest.mark.parametrize('form', [WIDE, NARROW])
def test_everything_is_inside(form):
    root = draw(with_truth(usual()), form=form)
    _, _, width, height = map(float, root.get('viewBox').split())
    for item in root.iter('rect'):
        x, y = float(item.get('x')), float(item.get('y'))
        assert 0 <= x <= x + float(item.get('width')) <= width
        assert 0 <= y <= y + float(item.get('height')) <= height
    for item in root.iter('text'):
        assert 0 <= float(item.get('x')) <= width
        assert 0 <= float(item.get('y')) <= height


def test_question_and_absence_are_where_they_were():
    root = draw(usual(), span=4.0)
    left, right = float(root.get('data-left')), float(root.get('data-right'))
    unit = (right - left) / 4.0
    for name, begin, length in (('open', 0.8, 0.6), ('absent', 2.0, 0.4)):
        spans = of_class(root, name)
        assert len(spans) == 3, 'in every panel'
        assert float(spans[0].get('x')) == pytest.approx(left + begin * unit, abs=0.02)
        assert float(spans[0].get('width')) == pytest.approx(length * unit, abs=0.02)
    assert [item.text for item in of_class(root, 'wait')] == ['0.6 s']


def test_curve_goes_through_the_values():
    frames = [frame(i, state(uncertainty=value)) for i, value in enumerate((0.0, 1.0, 0.5))]
    root = draw(evaluated(run_of(frames, [])), span=0.4)
    (curve,) = (item for item in of_class(root, 'curve') if 'sample' not in item.get('class'))
    points = [tuple(map(float, p.split(','))) for p in curve.get('d')[1:].split('L')]
    panel = of_class(root, 'panel')[0]
    x, y, width, height = (float(panel.get(k)) for k in ('x', 'y', 'width', 'height'))
    top = max(1.0, 1.05)
    expected = [(0.0, 0.0), (0.5, 1 / top), (1.0, 0.5 / top)]
    wanted = [(x + a * width, y + (1 - b) * height) for a, b in expected]
    assert np.allclose(points, wanted, atol=0.02)


def test_iou_is_drawn_only_where_it_is_known():
    assert not of_class(draw(usual()), 'truth')
    assert len(of_class(draw(with_truth(usual())), 'truth')) == 2, 'its sample and its line'


@pytest.mark.parametrize(
    ('changes', 'lines'),
    [
        ({}, ['memory', 'ask', 'itself']),
        ({'user_corrections': False}, ['memory', 'itself']),
        ({'pseudo_corrections': False}, ['memory', 'ask']),
        ({'tau_m': float('inf')}, ['ask', 'itself']),
        ({'trigger': 'level'}, ['memory', 'ask', 'itself']),
    ],
)
def test_thresholds_in_force_are_drawn(changes, lines):
    root = draw(usual(), replace(LazyConfig(), **changes))
    assert [i.get('class').split()[1] for i in of_class(root, 'threshold')] == lines


def test_mark_of_a_question_leads_to_its_pictures():
    root = draw(usual(), anchors={'q4': 'run-1-question-1'})
    links = list(root.iter('a'))
    assert {item.get('href') for item in links} == {'#run-1-question-1'}
    assert len(links) == 2, 'question and answer'


def test_marks_at_one_place_are_drawn_once():
    events = [event(EventKind.PSEUDO, i) for i in range(2000)]
    run = evaluated(run_of([frame(i) for i in range(2000)], events))
    assert len(of_class(draw(run, span=400.0), 'own')) < WIDE.width
    assert len(timeline_svg(curves_of(run, 1), LazyConfig(), 400.0, WIDE, {})) < 150_000


def test_values_under_the_pointer_are_those_of_the_least_sure_frames():
    frames = [frame(i, state(uncertainty=0.9 if i == 1456 else 0.1)) for i in range(2000)]
    found = samples(curves_of(evaluated(run_of(frames, [])), 1))
    assert {len(values) for values in found.values()} == {1200}
    place = found['n'].index(1456)
    assert (found['t'][place], found['s'][place]) == (291.2, 0.9)


def test_open_question_reaches_to_the_end():
    run = evaluated(run_of([frame(i) for i in range(20)], asked(5)[:1]))
    ((first, last, question),) = curves_of(run, 1).questions
    assert (first, last) == pytest.approx((1.0, 3.8))
    assert question.closing is None
