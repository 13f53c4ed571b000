from math import inf

import numpy as np
import pytest

from lazy_vos_ros.engine import questions
from lazy_vos_ros.engine.config import LazyConfig
from lazy_vos_ros.engine.questions import Question
from lazy_vos_ros.engine.questions import QuestionBook
from lazy_vos_ros.engine.questions import UnknownRequestError
from lazy_vos_ros.engine.results import CorrectionRequest


def _question(request_id='a', object_id=1, stamp=0.0, timeout=10.0):
    request = CorrectionRequest(
        request_id=request_id,
        object_id=object_id,
        label='cup',
        frame_index=int(stamp),
        stamp=stamp,
        asked=stamp,
        expires=stamp + timeout,
        uncertainty=0.6,
        derivative=0.6,
        reason='',
        image=np.zeros((2, 2, 3), np.uint8),
        mask=np.zeros((2, 2), bool),
        entropy=np.zeros((2, 2), np.float32),
    )
    return Question(request, frame=None)


def _asked_times(book, times, object_ids=None):
    """Ask at these times whenever the book allows; return when it did."""
    asked = []
    for index, now in enumerate(times):
        object_id = 1 if object_ids is None else object_ids[index]
        if not book.reason_to_spare(object_id, now):
            book.open(_question(str(index), object_id, now))
            book.close(str(index), 'done')
            asked.append(now)
    return asked


def test_one_open_question_an_object():
    book = QuestionBook(LazyConfig())
    book.open(_question('a', object_id=1))
    assert 'open' in book.reason_to_spare(1, 5.0)
    assert book.reason_to_spare(2, 5.0) == ''
    assert book.questioned == {1}


def test_open_questions_are_bounded_over_all_objects():
    book = QuestionBook(LazyConfig(max_questions=2))
    book.open(_question('a', object_id=1))
    book.open(_question('b', object_id=2))
    assert 'max_questions' in book.reason_to_spare(3, 0.0)
    book.close('a', 'done')
    assert book.reason_to_spare(3, 0.0) == ''


def test_expiry_is_after_the_last_moment():
    book = QuestionBook(LazyConfig())
    book.open(_question('a', stamp=1.0, timeout=10.0))
    assert book.close_expired(11.0) == []
    (expired,) = book.close_expired(11.001)
    assert expired.request.request_id == 'a'
    with pytest.raises(UnknownRequestError, match='expired'):
        book.find('a')


def test_cool_down_ends_exactly_in_time():
    book = QuestionBook(LazyConfig(question_cooldown=3.0))
    assert _asked_times(book, [0.0, 2.9, 3.0, 5.0, 6.0]) == [0.0, 3.0, 6.0]


def test_cool_down_is_each_objects_own():
    book = QuestionBook(LazyConfig(question_cooldown=100.0))
    assert _asked_times(book, [0.0, 1.0], object_ids=[1, 2]) == [0.0, 1.0]


@pytest.mark.parametrize(
    ('rate', 'expected'),
    [
        (inf, [0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100, 110, 120]),
        (2.0, [0, 10, 60, 70, 120]),
        (1.0, [0, 60, 120]),
        (0.5, [0, 120]),
        (0.0, []),
    ],
)
def test_budget_per_minute(rate, expected):
    book = QuestionBook(LazyConfig(questions_per_minute=rate))
    assert _asked_times(book, [float(t) for t in range(0, 121, 10)]) == expected


def test_budget_never_exceeded_in_any_minute():
    book = QuestionBook(LazyConfig(questions_per_minute=5.0))
    times = np.cumsum(np.random.default_rng(0).exponential(4.0, 300)).tolist()
    asked = np.array(_asked_times(book, times))
    assert max(((asked >= t) & (asked < t + 60)).sum() for t in asked) == 5


def test_shift_moves_every_timer():
    book = QuestionBook(LazyConfig(question_cooldown=5.0, questions_per_minute=1.0))
    book.open(_question('a', object_id=1, stamp=100.0, timeout=10.0))
    book.shift(-100.0)
    assert book.requests[0].expires == 10.0
    book.close('a', 'done')
    assert 'cooldown' in book.reason_to_spare(1, 4.0)
    assert 'per_minute' in book.reason_to_spare(1, 59.0)
    assert book.reason_to_spare(1, 60.0) == ''


def test_removed_object_takes_its_question_and_cool_down_along():
    book = QuestionBook(LazyConfig(question_cooldown=50.0))
    book.open(_question('a', object_id=1))
    book.open(_question('b', object_id=2))
    assert [item.request.request_id for item in book.close_object(1)] == ['a']
    assert [item.request_id for item in book.requests] == ['b']
    assert book.reason_to_spare(1, 1.0) == ''


def test_reset_closes_all_and_forgets_the_timers():
    book = QuestionBook(LazyConfig(question_cooldown=50.0, questions_per_minute=1.0))
    book.open(_question('a'))
    assert len(book.close_all()) == 1
    assert book.requests == ()
    assert book.reason_to_spare(1, 1.0) == ''
    with pytest.raises(UnknownRequestError, match='reset'):
        book.find('a')


def test_reasons_of_closed_questions_are_bounded(monkeypatch):
    monkeypatch.setattr(questions, 'CLOSED_KEPT', 3)
    book = QuestionBook(LazyConfig())
    for index in range(5):
        book.open(_question(str(index)))
        book.close(str(index), 'done')
    with pytest.raises(UnknownRequestError, match='not known'):
        book.find('1')
    with pytest.raises(UnknownRequestError, match='done'):
        book.find('2')
    assert book.find_closed('4').object_id == 1
    assert book.find_closed('0') is None
