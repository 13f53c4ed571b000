import weakref
from threading import Event
from threading import Thread
from threading import current_thread
from time import sleep

import numpy as np
import pytest

from lazy_vos_ros.nodes.outbox import Outbox


@pytest.fixture
def failures():
    return []


@pytest.fixture
def outbox(failures):
    made = Outbox(failures.append, places=2)
    yield made
    made.close()


def test_jobs_are_done_in_order_on_another_thread(outbox):
    done, names, last = [], set(), Event()
    for number in range(20):
        outbox.put(lambda number=number: (done.append(number), names.add(current_thread().name)))
    outbox.put(last.set)
    assert last.wait(5)
    assert done == list(range(20))
    assert names == {'publisher'}


def test_who_puts_too_much_in_waits_and_nothing_is_lost(outbox):
    go, done, all_in = Event(), [], Event()
    outbox.put(lambda: go.wait(5))

    def fill():
        for number in range(6):
            outbox.put(lambda number=number: done.append(number))
        all_in.set()

    filler = Thread(target=fill)
    filler.start()
    assert not all_in.wait(0.1)
    assert done == []
    go.set()
    assert all_in.wait(5)
    filler.join()
    outbox.close()
    assert done == list(range(6))


def test_a_job_that_fails_is_reported_and_the_next_is_done(outbox, failures):
    last = Event()
    outbox.put(lambda: 1 / 0)
    outbox.put(last.set)
    assert last.wait(5)
    assert [type(error) for error in failures] == [ZeroDivisionError]


def test_closing_does_what_waits(failures):
    go, done = Event(), []
    outbox = Outbox(failures.append, places=4)
    outbox.put(lambda: go.wait(5))
    for number in range(3):
        outbox.put(lambda number=number: done.append(number))
    go.set()
    outbox.close()
    assert done == [0, 1, 2]


def test_nothing_big_is_kept_alive_while_it_waits(outbox):
    big, first = np.zeros(1), Event()
    alive = weakref.ref(big)
    outbox.put(lambda big=big: first.set())
    del big
    assert first.wait(5)
    second = Event()
    outbox.put(second.set)
    assert second.wait(5)
    assert alive() is None


def test_flushing_waits_for_what_was_put_in(outbox):
    done = []
    for number in range(3):
        outbox.put(lambda number=number: (sleep(0.01), done.append(number)))
    outbox.flush()
    assert done == [0, 1, 2]
