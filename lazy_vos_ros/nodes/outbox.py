"""A thread that makes, serialises and publishes messages while the tracker goes on."""

from collections.abc import Callable
from queue import Queue
from threading import Event
from threading import Thread

PLACES = 2
"""Jobs that may wait; each may keep an image and its result alive."""


class Outbox:
    """Does jobs one after another in the order in which they were put in; loses none.

    Whoever puts more in than can be published waits; a tracker that waits takes the newest image
    next, and the others are counted as dropped there.

    Parameters
    ----------
    failed
        Called on the outbox's thread with what a job raised; the next one is done all the same.
    places
        Jobs that may wait.
    """

    def __init__(self, failed: Callable[[Exception], None], places: int = PLACES) -> None:
        self._failed = failed
        self._jobs: Queue[Callable[[], None] | None] = Queue(places)
        self._thread = Thread(target=self._run, name='publisher', daemon=True)
        self._thread.start()

    def put(self, job: Callable[[], None]) -> None:
        """Have a job done after those before it; wait while all places are taken."""
        self._jobs.put(job)

    def flush(self) -> None:
        """Wait until everything that was put in so far is done."""
        done = Event()
        self.put(done.set)
        done.wait()

    def close(self) -> None:
        """Do what waits and end; nothing may be put in any more. Once more does nothing."""
        if self._thread.is_alive():
            self._jobs.put(None)
            self._thread.join()

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            try:
                job()
            except Exception as error:
                self._failed(error)
            # Nothing big is kept alive while waiting.
            del job
