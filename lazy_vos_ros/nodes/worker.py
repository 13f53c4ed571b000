"""One thread that owns the tracker: everything else goes through its queue."""

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from threading import Condition
from threading import Thread
from threading import current_thread
from typing import Any
from typing import Generic
from typing import TypeVar

from lazy_vos_ros.nodes.slot import Slot

Frame = TypeVar('Frame')
Result = TypeVar('Result')


class Worker(Generic[Frame]):
    """Runs jobs in the order in which they came and, when there are none, the newest frame.

    Parameters
    ----------
    process
        Called on the worker's thread with each frame that is not replaced by a newer one.
    failed
        Called on the worker's thread with what `process` or `spare` raised; the worker goes on.
    spare
        Called on the worker's thread after each job and frame, and again as long as nothing
        waits and it returns that there is more to do. It should not take long.
    """

    def __init__(
        self,
        process: Callable[[Frame], None],
        failed: Callable[[Exception], None],
        spare: Callable[[], bool] = lambda: False,
    ) -> None:
        self._process = process
        self._failed = failed
        self._spare = spare
        self._more = False
        self._wake = Condition()
        self._jobs: deque[tuple[Callable[[], Any], Future[Any]]] = deque()
        self._stopping = False
        self._slot: Slot[Frame] = Slot()
        self._thread = Thread(target=self._run, name='tracker', daemon=True)
        self._thread.start()

    @property
    def dropped(self) -> int:
        """Frames that were replaced by a newer one, since the last :meth:`forget_frames`."""
        return self._slot.dropped

    def offer(self, frame: Frame) -> None:
        """Process this frame next, unless a newer one comes first."""
        with self._wake:
            self._slot.put(frame)
            self._wake.notify()

    def forget_frames(self) -> None:
        """Drop the waiting frame and count from 0."""
        self._slot.clear()

    def submit(self, job: Callable[[], Result]) -> 'Future[Result]':
        """Run a job before the next frame; what it returns or raises is in the future.

        After :meth:`stop` the future is cancelled.
        """
        future: Future[Result] = Future()
        with self._wake:
            if self._stopping:
                future.cancel()
            else:
                self._jobs.append((job, future))
                self._wake.notify()
        return future

    def call(self, job: Callable[[], Result]) -> Result:
        """Run a job and wait for it; CancelledError if the worker stops first."""
        if current_thread() is self._thread:
            return job()
        return self.submit(job).result()

    def stop(self, timeout: float | None = None) -> bool:
        """End after what is running now, cancel the other jobs; return whether it has ended."""
        with self._wake:
            self._stopping = True
            self._wake.notify()
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while True:
            with self._wake:
                job = frame = None
                while not self._stopping:
                    job = self._jobs.popleft() if self._jobs else None
                    frame = self._slot.take() if job is None else None
                    if job is not None or frame is not None or self._more:
                        break
                    self._wake.wait()
                if self._stopping:
                    self._cancel_all()
                    return
            if job is not None:
                _run_job(*job)
            elif frame is not None:
                self._run_frame(frame)
            # Nothing big is kept alive while waiting.
            del job, frame
            self._use_spare_time()

    def _run_frame(self, frame: Frame) -> None:
        try:
            self._process(frame)
        except Exception as error:
            self._failed(error)

    def _use_spare_time(self) -> None:
        try:
            self._more = self._spare()
        except Exception as error:
            self._more = False
            self._failed(error)

    def _cancel_all(self) -> None:
        while self._jobs:
            self._jobs.popleft()[1].cancel()


def _run_job(job: Callable[[], Result], future: 'Future[Result]') -> None:
    if not future.set_running_or_notify_cancel():
        return
    try:
        result = job()
    except Exception as error:
        future.set_exception(error)
    else:
        future.set_result(result)
