import json

import pytest

from lazy_vos_ros.engine.results import Action
from lazy_vos_ros.engine.results import EventKind
from lazy_vos_ros.engine.results import ObjectState
from lazy_vos_ros.engine.results import Timings
from lazy_vos_ros.evaluation.runs import Frame
from lazy_vos_ros.evaluation.runs import Run
from lazy_vos_ros.evaluation.runs import TimedEvent
from lazy_vos_ros.evaluation.summary import summarise
from lazy_vos_ros.evaluation.summary import table

NAMES = {1: 'cup', 2: 'box'}


def state(object_id: int) -> ObjectState:
    return ObjectState(
        object_id, NAMES[object_id], 0.2, 0.0, 50, (0, 0, 5, 10), Action.NONE, False
    )


def frame(index: int, object_ids: tuple[int, ...], **values) -> Frame:
    """Frame at index / 10 s, done 50 ms later, in 10 + index ms."""
    timings = Timings(predict=0.01 + 0.001 * index, lazy=0.0, refine=0.0, commit=0.0)
    return Frame(
        stamp=index * 100_000_000,
        index=index,
        objects=tuple(state(item) for item in object_ids),
        finished=1000.0 + index / 10,
        timings=timings,
        **values,
    )


def event(kind: EventKind, index: int, later: int = 0, object_id: int = 1, name: str = ''):
    applied = (index + later) / 10
    return TimedEvent(
        kind=kind,
        object_id=object_id,
        frame_index=index,
        stamp=index / 10,
        applied_stamp=applied,
        request_id=name,
        time=5000.0 + applied,
    )


def usual_run() -> Run:
    """Object 1 lives in frames 0..20, object 2 in frames 10..20."""
    frames = [
        frame(i, (1,) if i < 10 else (1, 2), latency=0.05, dropped=i // 7) for i in range(21)
    ]
    events = [
        event(EventKind.ADDED, 0),
        event(EventKind.ASKED, 4, name='a'),
        event(EventKind.PSEUDO, 5),
        event(EventKind.PSEUDO, 6),
        event(EventKind.SUPPRESSED, 7),
        event(EventKind.ANSWERED, 4, later=5, name='a'),
        event(EventKind.ADDED, 10, object_id=2),
        event(EventKind.ASKED, 12, object_id=2, name='b'),
        event(EventKind.SKIPPED, 12, later=2, object_id=2, name='b'),
        event(EventKind.ASKED, 14, name='c'),
        event(EventKind.ABSENT, 14, later=1, name='c'),
        event(EventKind.CORRECTED, 16, object_id=2),
        event(EventKind.ABSENT, 17),
        event(EventKind.ASKED, 18, name='d'),
        event(EventKind.ASKED, 19, object_id=2, name='e'),
        event(EventKind.EXPIRED, 19, later=1, object_id=2, name='e'),
    ]
    return Run('by hand', tuple(frames), tuple(events), sent=24)


def test_questions_are_told_apart_by_what_became_of_them():
    summary = summarise(usual_run())
    assert summary.questions == 5
    assert summary.answers == 2
    assert (summary.skipped, summary.expired, summary.still_open) == (1, 1, 1)
    assert summary.pseudo_corrections == 2
    assert summary.suppressed == 1
    assert summary.unasked == 2, 'one click and one absence without a question'


def test_reaction_time_is_that_of_answers_only():
    assert summarise(usual_run()).reaction_p50 == pytest.approx((0.5 + 0.1) / 2)


def test_effort_counts_corrected_frames_of_each_life():
    summary = summarise(usual_run())
    cup, box = summary.objects
    assert (cup.frames, cup.noc, cup.label) == (21, 3, 'cup')
    assert (box.frames, box.noc, box.label) == (11, 1, 'box')
    assert cup.seconds == pytest.approx(2.0)
    assert cup.idi == pytest.approx(2.0 / 4)
    assert box.idi == pytest.approx(1.0 / 2)
    assert cup.aci == pytest.approx(3 + 5 / 21)
    assert box.aci == pytest.approx(1 + 3 / 11)
    assert summary.noc == 4
    assert summary.idi == pytest.approx(3.0 / (4 + 2))
    assert summary.aci == pytest.approx((cup.aci + box.aci) / 2)


def test_spread_of_the_corrections():
    # Gaps of the cup: 0.4, 1.0, 0.3 and 0.3 s; of the box: 0.6 and 0.4 s.
    summary = summarise(usual_run())
    assert summary.median_gap == pytest.approx(0.4)
    assert summary.quick_share == 3 / 4  # exactly one second is not quick
    assert 'quick share                        75%' in table(summary)


def test_correction_of_an_earlier_frame_counts_there():
    run = usual_run()
    assert run.corrected_frames(1) == [4, 14, 17]
    assert run.corrected_frames(2) == [6], 'counted from the first frame of its life'


def test_speed_and_latency():
    summary = summarise(usual_run())
    assert (summary.frames, summary.sent, summary.dropped) == (21, 24, 2)
    assert summary.duration == pytest.approx(2.0)
    assert summary.fps == pytest.approx(10.0)
    assert summary.step_p50 == pytest.approx(20.0)
    assert summary.step_p95 == pytest.approx(29.0)
    assert summary.latency_p50 == pytest.approx(50.0)


def test_what_is_not_known_is_none_and_a_dash():
    summary = summarise(Run('r', (frame(0, ()),), ()))
    assert summary.sent is None
    assert summary.fps is None
    assert summary.latency_p50 is None
    assert summary.reaction_p50 is None
    assert summary.idi is None
    assert summary.median_gap is None
    assert summary.quick_share is None
    first = table(summary).splitlines()[0]
    assert first.split() == ['images', 'published', '-']


def test_table_shows_every_object_if_there_are_several():
    text = table(summarise(usual_run()))
    assert 'NoC                                  4' in text
    assert [line.split()[:4] for line in text.splitlines()[-2:]] == [
        ['1', 'cup', '21', '3'],
        ['2', 'box', '11', '1'],
    ]


def test_results_have_the_form_of_a_data_set():
    results = summarise(usual_run()).results('clip', method='lazy', backend='tiny')
    assert (results['method'], results['backend']) == ('lazy', 'tiny')
    assert results['mean']['NoC'] == 4
    (sequence,) = results['sequences']
    assert sequence['name'] == 'clip'
    assert [item['id'] for item in sequence['objects']] == [1, 2]
    assert sequence['objects'][0]['NoC'] == 3
    assert sequence['figures']['questions'] == 5
    assert json.loads(json.dumps(results)) == results


def test_run_without_frames_is_refused():
    with pytest.raises(ValueError, match='has no processed frame'):
        summarise(Run('empty', (), ()))
