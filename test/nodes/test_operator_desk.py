from dataclasses import replace
from threading import Thread

import numpy as np
import pytest

from lazy_vos_ros.engine.clicks import Click
from lazy_vos_ros.engine.results import Absent
from lazy_vos_ros.engine.results import Skip
from lazy_vos_ros.nodes import operator_desk
from lazy_vos_ros.nodes.operator_desk import NotTakenError
from lazy_vos_ros.nodes.operator_desk import OperatorDesk
from lazy_vos_ros.nodes.operator_view import Deed
from lazy_vos_ros.nodes.operator_view import Live
from lazy_vos_ros.nodes.operator_view import Outcome
from lazy_vos_ros.nodes.operator_view import Question
from lazy_vos_ros.nodes.operator_view import TrackedObject
from lazy_vos_ros.nodes.operator_view import TrackerView

MASK = np.ones((48, 64), bool)


class Wire:
    """A courier that writes down what it is given, and a clock that is turned by hand."""

    def __init__(self):
        self.time = 100.0
        self.answers, self.previews, self.dropped, self.orders = [], [], [], []

    def preview(self, question, serial, clicks):
        self.previews.append((question.key, serial, clicks))

    def answer(self, question, answer):
        self.answers.append((question.key, answer))

    def drop(self, question):
        self.dropped.append(question.key)

    def order(self, order):
        self.orders.append(order)


@pytest.fixture
def wire():
    return Wire()


@pytest.fixture
def desk(wire):
    return OperatorDesk(wire, confirm_after=2.0, clock=lambda: wire.time)


def question(key, derivative=0.5, asked=100.0, **changes):
    made = Question(
        key=key,
        tracker='/robot/lazy_vos',
        camera='lens',
        object_id=1,
        label='cup',
        reason='it is unsure',
        uncertainty=0.6,
        derivative=derivative,
        asked=asked,
        expires=160.0,
        stamp=7,
        image=np.zeros((48, 64, 3), np.uint8),
        mask=~MASK,
        entropy=np.zeros((48, 64), np.float32),
    )
    return replace(made, **changes)


def seen(desk, wire, *questions):
    """Ask, and let the person look at it."""
    for item in questions:
        desk.ask(item)
    wire.time += 1.0


def test_the_most_urgent_comes_first_and_then_the_oldest(desk, wire):
    desk.ask(question('first', derivative=0.1))
    for key, derivative, asked in (
        ('young', 0.5, 103.0),
        ('old', 0.5, 101.0),
        ('urgent', 0.9, 104.0),
        ('falling', -0.2, 90.0),
    ):
        desk.ask(question(key, derivative, asked))
    # What is being looked at is not pulled away from under the mouse.
    assert desk.snapshot().current.key == 'first'
    order = ['urgent', 'old', 'young', 'falling']
    assert [item.key for item in desk.snapshot().waiting] == order
    met = []
    while desk.snapshot().current is not None:
        met.append(desk.snapshot().current.key)
        desk.skip(met[-1])
    assert met == ['first', *order]
    assert wire.answers == [(key, Skip()) for key in met]


def test_a_click_is_shown_refined_and_sent_after_a_while(desk, wire):
    seen(desk, wire, question('q'))
    desk.click(Click(3, 4))
    assert wire.previews == [('q', wire.previews[0][1], (Click(3, 4),))]
    assert wire.answers == []
    wire.time += 0.5
    desk.previewed('q', wire.previews[0][1], MASK)
    shown = desk.snapshot()
    assert shown.preview is MASK
    assert shown.confirm_at == wire.time + 2.0
    wire.time += 1.9
    desk.tick()
    assert wire.answers == []
    wire.time += 0.2
    desk.tick()
    assert wire.answers == [('q', (Click(3, 4),))]
    after = desk.snapshot()
    assert (after.current, after.proposal, after.preview) == (None, (), None)
    (entry,) = after.history
    assert (entry.deed, entry.outcome, entry.clicks) == (
        Deed.ANSWERED,
        Outcome.SENT,
        (Click(3, 4),),
    )
    desk.settled('q', Outcome.REFUSED, 'the object was removed')
    assert desk.snapshot().history[0].outcome is Outcome.REFUSED
    assert desk.snapshot().history[0].message == 'the object was removed'


def test_a_second_click_and_undo_start_the_wait_again(desk, wire):
    seen(desk, wire, question('q'))
    first, second = Click(3, 4), Click(30, 4, positive=False)
    desk.click(first)
    desk.previewed('q', wire.previews[-1][1], MASK)
    wire.time += 1.5
    desk.click(second)
    assert wire.previews[-1][2] == (first, second)
    # The picture of the first click alone comes too late to be that of both.
    desk.previewed('q', wire.previews[0][1], MASK)
    assert desk.snapshot().preview is None
    desk.previewed('q', wire.previews[-1][1], MASK)
    wire.time += 1.5
    desk.tick()
    desk.undo()
    assert desk.snapshot().proposal == (first,)
    assert wire.previews[-1][2] == (first,)
    desk.undo()
    assert desk.snapshot().proposal == ()
    wire.time += 60.0
    desk.tick()
    assert wire.answers == []
    with pytest.raises(NotTakenError, match='nothing to undo'):
        desk.undo()
    with pytest.raises(NotTakenError, match='click first'):
        desk.confirm()


def test_absent_can_be_undone_confirmed_and_overruled_by_a_click(desk, wire):
    seen(desk, wire, question('a'), question('b'), question('c'))
    desk.absent()
    assert desk.snapshot().proposal == Absent()
    desk.undo()
    assert desk.snapshot().proposal == ()
    desk.absent()
    desk.confirm()
    assert wire.answers == [('a', Absent())]
    assert wire.previews == []
    wire.time += 1.0
    desk.absent()
    desk.click(Click(1, 1))
    assert desk.snapshot().proposal == (Click(1, 1),)
    desk.undo()
    desk.absent()
    wire.time += 2.1
    desk.tick()
    assert wire.answers[-1] == ('b', Absent())


def test_no_picture_of_the_mask_does_not_hold_up_an_answer_but_a_refusal_does(desk, wire):
    seen(desk, wire, question('a'), question('b'))
    desk.click(Click(3, 4))
    wire.time += operator_desk.PREVIEW_PATIENCE + 2.1
    desk.tick()
    assert wire.answers == [('a', (Click(3, 4),))]
    wire.time += 1.0
    desk.click(Click(3, 4))
    desk.previewed('b', wire.previews[-1][1], None, 'the mask is empty')
    assert desk.snapshot().problem == 'the mask is empty'
    wire.time += 30.0
    desk.tick()
    assert len(wire.answers) == 1
    desk.click(Click(20, 20))
    assert desk.snapshot().problem == ''


def test_double_clicks_count_once_and_do_not_reach_the_next_question(wire):
    desk = OperatorDesk(wire, confirm_after=0.0, clock=lambda: wire.time)
    seen(desk, wire, question('a'), question('b'))
    desk.click(Click(3, 4))
    wire.time += 0.2
    with pytest.raises(NotTakenError, match='before the question was seen'):
        desk.click(Click(3, 4))
    with pytest.raises(NotTakenError, match='before the question was seen'):
        desk.skip()
    assert wire.answers == [('a', (Click(3, 4),))]

    slow = OperatorDesk(wire, clock=lambda: wire.time)
    seen(slow, wire, question('c'))
    slow.click(Click(3, 4))
    wire.time += 0.2
    with pytest.raises(NotTakenError, match='double click'):
        slow.click(Click(4, 5))
    # Another place or another meaning is another click, and so is one that comes later.
    slow.click(Click(20, 5))
    slow.click(Click(20, 5, positive=False))
    wire.time += operator_desk.GRACE
    slow.click(Click(20, 5, positive=False))
    assert len(slow.snapshot().proposal) == 4


def test_who_names_the_question_needs_no_grace_but_must_name_the_right_one(desk, wire):
    with pytest.raises(NotTakenError, match='there is no question'):
        desk.click(Click(1, 1))
    desk.ask(question('a'))
    desk.ask(question('b'))
    desk.click(Click(1, 1), 'a')
    for act in (desk.click, desk.absent, desk.undo, desk.confirm, desk.skip):
        arguments = (Click(1, 1), 'b') if act == desk.click else ('b',)
        with pytest.raises(NotTakenError, match='not the current one'):
            act(*arguments)
    for outside in (Click(-1, 0), Click(64, 0), Click(0, 48)):
        with pytest.raises(NotTakenError, match='allowed: inside the image'):
            desk.click(outside, 'a')


def test_another_question_can_be_chosen_while_nothing_is_proposed(desk, wire):
    seen(desk, wire, question('a', 0.9), question('b', 0.5), question('c', 0.1))
    desk.choose('c')
    assert desk.snapshot().current.key == 'c'
    assert [item.key for item in desk.snapshot().waiting] == ['a', 'b']
    desk.click(Click(1, 1), 'c')
    with pytest.raises(NotTakenError, match='confirm or undo'):
        desk.choose('a')
    desk.confirm()
    with pytest.raises(NotTakenError, match='not open any more'):
        desk.choose('c')


def test_withdrawn_and_expired_questions_go_and_the_history_tells_why(desk, wire):
    seen(desk, wire, question('a'), question('b'), question('late', expires=150.0))
    desk.click(Click(1, 1))
    desk.withdraw('a', 'no answer in time')
    desk.withdraw('unknown', 'nothing')
    assert desk.snapshot().current.key == 'b'
    assert desk.snapshot().proposal == ()
    wire.time = 150.0 + operator_desk.LATE
    desk.tick()
    assert wire.dropped == ['a', 'late']
    desk.withdraw_all('/other/lazy_vos', 'it has gone')
    assert desk.snapshot().current.key == 'b'
    desk.withdraw_all('/robot/lazy_vos', 'it has gone')
    assert desk.snapshot().current is None
    told = [(item.key, item.deed, item.message) for item in desk.snapshot().history]
    assert told == [
        ('a', Deed.WITHDRAWN, 'no answer in time'),
        ('late', Deed.WITHDRAWN, 'no answer in time'),
        ('b', Deed.WITHDRAWN, 'it has gone'),
    ]
    assert wire.answers == []


def test_a_tracker_that_is_there_says_itself_when_a_question_expires(desk, wire):
    desk.report(TrackerView('/robot/lazy_vos', True))
    seen(desk, wire, question('a'))
    wire.time = 10_000.0  # the camera stands still, and with it the stream's time
    desk.tick()
    assert desk.snapshot().current.key == 'a'
    desk.report(TrackerView('/robot/lazy_vos', False))
    desk.tick()
    assert desk.snapshot().current is None


def test_a_question_that_was_withdrawn_before_it_came_is_dropped(desk, wire):
    desk.withdraw('a', 'no answer in time')
    desk.ask(question('a'))
    assert desk.snapshot().current is None
    assert wire.dropped == ['a']


def test_a_question_that_is_asked_again_keeps_its_place_and_its_clicks(desk, wire):
    seen(desk, wire, question('a'), question('b'))
    desk.click(Click(1, 1))
    desk.ask(question('a'))
    desk.ask(question('b'))
    assert desk.snapshot().proposal == (Click(1, 1),)
    assert [item.key for item in desk.snapshot().waiting] == ['b']


def test_unasked_actions_go_to_a_tracker_that_is_there(desk, wire):
    name = '/robot/lazy_vos'
    with pytest.raises(NotTakenError, match='is not there'):
        desk.start_object(name, (Click(1, 1),))
    desk.report(TrackerView(name, True, 9, (TrackedObject(3, 'cup', 0.1, 50, False),)))
    with pytest.raises(NotTakenError, match='there is no click'):
        desk.correct(name, 3, ())
    started = desk.start_object(name, (Click(1, 1),), 'bowl', stamp=9)
    corrected = desk.correct(name, 3, (Click(2, 2, positive=False),), stamp=8)
    desk.correct_absent(name, 3)
    desk.remove_object(name, 3)
    deeds = [Deed.STARTED, Deed.CORRECTED, Deed.ABSENT, Deed.REMOVED]
    assert [order.deed for order in wire.orders] == deeds
    assert [order.stamp for order in wire.orders] == [9, 8, 0, 0]
    desk.done(started, Outcome.DONE, object_id=4)
    desk.done(corrected, Outcome.REFUSED, 'too old')
    history = desk.snapshot().history
    assert [entry.label for entry in history] == ['bowl', 'cup', 'cup', 'cup']
    assert [entry.object_id for entry in history] == [4, 3, 3, 3]
    assert (history[1].outcome, history[1].message) == (Outcome.REFUSED, 'too old')
    desk.report(TrackerView(name, False))
    with pytest.raises(NotTakenError, match='is not there'):
        desk.remove_object(name, 3)


def test_waiting_views_are_woken_and_listeners_may_call_back(desk):
    calls = []
    desk.listen(lambda: calls.append(desk.snapshot().version))
    before = desk.snapshot().version
    assert desk.wait(before, timeout=0.01).version == before
    found = []
    thread = Thread(target=lambda: found.append(desk.wait(before, timeout=10.0)))
    thread.start()
    desk.ask(question('a'))
    thread.join()
    assert found[0].current.key == 'a'
    assert calls == [found[0].version]


def test_live_pictures_are_wanted_by_those_who_look(desk, wire):
    name = '/robot/lazy_vos'
    assert not desk.live_wanted(name)
    assert desk.live(name) is None
    assert desk.live_wanted(name)
    before = desk.snapshot().version
    live = Live(5, np.zeros((4, 4, 3), np.uint8))
    desk.put_live(name, live)
    assert desk.live(name) is live
    assert desk.live(name, after=5, timeout=0.01) is None
    assert desk.snapshot().version == before
    wire.time += operator_desk.INTEREST + 0.1
    assert not desk.live_wanted(name)


# ---- taking back what was sent ----


@pytest.fixture
def answered(desk, wire):
    """Return the desk after an answer that its tracker has used."""
    desk.report(TrackerView('/robot/lazy_vos', True, 7))
    seen(desk, wire, question('q', object_id=4))
    desk.click(Click(3, 4))
    desk.confirm()
    assert desk.snapshot().undoable is None  # the tracker has not said yet what became of it
    desk.settled('q', Outcome.DONE, 'took effect')
    return desk


def test_what_was_sent_last_is_taken_back_once(answered, wire):
    assert answered.snapshot().undoable.key == 'q'
    number = answered.undo_sent()
    (order,) = wire.orders
    assert (order.number, order.deed, order.object_id) == (number, Deed.UNDONE, 4)
    assert answered.snapshot().undoable is None
    with pytest.raises(NotTakenError, match='nothing to undo'):
        answered.undo_sent()
    answered.done(number, Outcome.DONE, 'being undone')
    told = [(entry.deed, entry.outcome) for entry in answered.snapshot().history]
    assert told == [(Deed.ANSWERED, Outcome.UNDONE), (Deed.UNDONE, Outcome.DONE)]
    assert answered.snapshot().undoable is None


def test_what_the_tracker_does_not_take_back_stays(answered, wire):
    number = answered.undo_sent()
    answered.done(number, Outcome.REFUSED, 'too long ago')
    told = [(entry.deed, entry.outcome) for entry in answered.snapshot().history]
    assert told == [(Deed.ANSWERED, Outcome.DONE), (Deed.UNDONE, Outcome.REFUSED)]
    assert answered.snapshot().undoable is None


def test_it_is_offered_for_a_while_and_the_views_are_told_of_the_end(answered, wire):
    wire.time += operator_desk.UNDO_OFFERED - 0.1
    answered.tick()
    version = answered.snapshot().version
    assert answered.snapshot().undoable is not None
    wire.time += 0.2
    answered.tick()
    assert answered.snapshot().version > version
    assert answered.snapshot().undoable is None
    with pytest.raises(NotTakenError, match='nothing to undo'):
        answered.undo_sent()


def test_undo_takes_back_a_click_before_an_answer(answered, wire):
    seen(answered, wire, question('next'))
    answered.click(Click(5, 6))
    answered.undo_last()
    assert answered.snapshot().proposal == ()
    assert wire.orders == []
    answered.undo_last()
    assert [order.deed for order in wire.orders] == [Deed.UNDONE]


def test_nothing_before_an_unasked_correction_under_way_is_taken_back(answered, wire):
    number = answered.correct('/robot/lazy_vos', 4, (Click(1, 1),))
    assert answered.snapshot().undoable is None
    answered.done(number, Outcome.DONE)
    assert answered.snapshot().undoable.number == number
    answered.done(answered.undo_sent(), Outcome.DONE)
    assert answered.snapshot().undoable.key == 'q'
