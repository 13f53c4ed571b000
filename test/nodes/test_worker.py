from concurrent.futures import CancelledError
from threading import Event
from threading import current_thread

import pytest

from lazy_vos_ros.nodes.worker import Worker


@pytest.fixture
def made():
    workers = []

    def make(process=lambda frame: None, failed=lambda error: None, **options):
        workers.append(Worker(process, failed, **options))
        return workers[-1]

    yield make
    assert all(worker.stop(5.0) for worker in workers)


def test_a_failing_frame_is_reported_and_the_next_is_processed(made):
    seen, errors, failed, done = [], [], Event(), Event()

    def fail(error):
        errors.append(error)
        failed.set()

    def process(frame):
        seen.append(frame)
        if frame == 'bad':
            raise ValueError('bad frame')
        done.set()

    worker = made(process, fail)
    worker.offer('bad')
    assert failed.wait(5)
    worker.offer('good')
    assert done.wait(5)
    assert seen == ['bad', 'good']
    assert str(errors[0]) == 'bad frame'


def test_a_failing_job_raises_where_it_was_called_and_only_there(made):
    worker = made()
    with pytest.raises(ZeroDivisionError):
        worker.call(lambda: 1 / 0)
    assert worker.call(lambda: 41 + 1) == 42


def test_frames_wait_for_jobs_and_the_newest_wins(made):
    entered, go, seen, last = Event(), Event(), [], Event()

    def process(frame):
        seen.append(frame)
        if frame == 3:
            last.set()

    worker = made(process)

    def block():
        entered.set()
        go.wait(5)

    worker.submit(block)
    assert entered.wait(5)
    for frame in (1, 2, 3):
        worker.offer(frame)
    job = worker.submit(lambda: seen.append('job'))
    go.set()
    job.result(5)
    assert last.wait(5)
    assert seen == ['job', 3]
    assert worker.dropped == 2


def test_everything_runs_on_one_thread(made):
    names = set()
    ran = Event()

    def process(frame):
        names.add(current_thread().name)
        ran.set()

    worker = made(process)
    worker.offer(1)
    assert ran.wait(5)
    names.add(worker.call(lambda: current_thread().name))
    assert names == {'tracker'}
    assert worker.call(lambda: worker.call(lambda: 'nested')) == 'nested'


def test_stopping_finishes_what_runs_and_cancels_the_rest(made):
    entered, go = Event(), Event()
    worker = made()

    def block():
        entered.set()
        return go.wait(5)

    running = worker.submit(block)
    assert entered.wait(5)
    waiting = worker.submit(lambda: None)
    assert not worker.stop(0.05)
    go.set()
    assert worker.stop(5)
    assert running.result(0) is True
    with pytest.raises(CancelledError):
        waiting.result(0)
    with pytest.raises(CancelledError):
        worker.submit(lambda: None).result(0)


def test_forgotten_frames_are_not_processed(made):
    go, seen = Event(), []
    worker = made(seen.append)
    worker.submit(lambda: go.wait(5))
    worker.offer('old')
    worker.forget_frames()
    go.set()
    worker.call(lambda: None)
    worker.call(lambda: None)
    assert seen == []
    assert worker.dropped == 0


def test_spare_time_is_used_while_nothing_waits_and_never_holds_up_what_comes(made):
    order, entered, ended = [], Event(), Event()

    def spare():
        order.append('spare')
        if len(order) == 1:
            return True
        if not entered.is_set():
            worker.offer('frame')  # comes while there is more to do
            entered.set()
        elif order.count('spare') == 5:
            ended.set()
        return not ended.is_set()

    worker = made(process=order.append, spare=spare)
    worker.call(lambda: None)
    assert ended.wait(5)
    worker.call(lambda: order.append('job'))
    assert order[:6] == ['spare', 'spare', 'frame', 'spare', 'spare', 'spare']
    assert order[6:] in (['job'], ['job', 'spare'])


def test_spare_time_that_fails_is_reported_and_not_repeated(made):
    errors, seen = [], Event()

    def spare():
        raise RuntimeError('no use')

    worker = made(failed=lambda error: (errors.append(str(error)), seen.set()), spare=spare)
    worker.call(lambda: None)
    assert seen.wait(5)
    assert worker.call(lambda: 1) == 1
    assert set(errors) == {'no use'}
