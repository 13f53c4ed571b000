from lazy_vos_ros.engine import journal
from lazy_vos_ros.engine.journal import Journal
from lazy_vos_ros.engine.results import EventKind


def test_events_are_given_out_once_with_the_time_they_took_effect():
    book = Journal()
    book.now = 7.0
    event = book.record(EventKind.ADDED, 1, 3, 2.5)
    assert (event.stamp, event.applied_stamp, event.frame_index) == (2.5, 7.0, 3)
    assert (event.uncertainty, event.derivative, event.clicks) == (0, 0, ())
    assert book.drain() == (event,)
    assert book.drain() == ()


def test_events_without_frames_do_not_pile_up():
    book = Journal()
    for index in range(journal.PENDING_KEPT + 10):
        book.record(EventKind.REFUSED, 0, index, 0.0)
    events = book.drain()
    assert len(events) == journal.PENDING_KEPT
    assert events[-1].frame_index == journal.PENDING_KEPT + 9
