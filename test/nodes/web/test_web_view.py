import json

import numpy as np
from web_desk import TRACKER
from web_desk import make_desk
from web_desk import question

from lazy_vos_ros.engine.clicks import Click
from lazy_vos_ros.nodes.operator_view import Outcome
from lazy_vos_ros.nodes.web.view import MOST_ENTRIES
from lazy_vos_ros.nodes.web.view import history_of
from lazy_vos_ros.nodes.web.view import questions_of
from lazy_vos_ros.nodes.web.view import trackers_of


def strict(value):
    return json.loads(json.dumps(value, allow_nan=False))


def test_empty_desk_is_shown():
    desk, _ = make_desk()
    snapshot = desk.snapshot()
    assert strict(questions_of(snapshot)) == {'question': None, 'waiting': []}
    assert strict(history_of(snapshot)) == {'history': [], 'undoable': None}
    (tracker,) = strict(trackers_of(snapshot))['trackers']
    assert tracker['name'] == TRACKER
    assert tracker['objects'][0]['label'] == 'cup'


def test_question_is_shown_as_far_as_it_has_come():
    desk, wire = make_desk()
    desk.ask(question('second', derivative=0.1, uncertainty=float('nan')))
    desk.ask(question('first'))
    desk.choose('first')
    shown = strict(questions_of(desk.snapshot()))
    assert [item['key'] for item in shown['waiting']] == ['second']
    assert (shown['question']['width'], shown['question']['height']) == (160, 90)
    assert (shown['question']['expires'], shown['question']['clicks']) == (None, [])
    desk.click(Click(4.4, 5.6), 'first')
    desk.click(Click(90, 70, positive=False), 'first')
    shown = strict(questions_of(desk.snapshot()))['question']
    assert shown['clicks'] == [
        {'x': 4, 'y': 6, 'positive': True},
        {'x': 90, 'y': 70, 'positive': False},
    ]
    assert not shown['refined']
    desk.previewed('first', wire.previews[-1][1], np.ones((90, 160), bool))
    assert strict(questions_of(desk.snapshot()))['question']['refined']
    desk.absent('first')
    shown = strict(questions_of(desk.snapshot()))['question']
    assert shown['gone']
    assert shown['clicks'] == []


def test_history_is_shown_newest_first_and_not_all():
    desk, _ = make_desk()
    for number in range(MOST_ENTRIES + 5):
        desk.ask(question(str(number)))
        desk.skip(str(number))
    desk.settled(str(MOST_ENTRIES + 4), Outcome.REFUSED, 'too late')
    shown = strict(history_of(desk.snapshot()))['history']
    assert len(shown) == MOST_ENTRIES
    assert (shown[0]['outcome'], shown[0]['message']) == ('refused', 'too late')
    assert shown[0]['number'] > shown[1]['number']


def test_what_can_be_undone_is_named_by_its_number_until_somebody_tries():
    desk, wire = make_desk()
    desk.ask(question('first'))
    desk.click(Click(4, 5), 'first')
    desk.confirm('first')
    assert strict(history_of(desk.snapshot()))['undoable'] is None, 'not taken yet'
    desk.settled('first', Outcome.DONE, 'took effect')
    shown = strict(history_of(desk.snapshot()))
    assert shown['undoable'] == shown['history'][0]['number']
    desk.undo_sent()
    assert strict(history_of(desk.snapshot()))['undoable'] is None
    desk.done(wire.orders[0].number, Outcome.DONE)
    shown = strict(history_of(desk.snapshot()))
    assert (shown['undoable'], shown['history'][1]['outcome']) == (None, 'undone')
