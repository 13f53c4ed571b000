"""One set-up at a time: a lock that concurrent calls wait for."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bootstrap.console import Console


@contextmanager
def exclusive(path: Path, console: Console) -> Iterator[int]:
    """Hold the lock at `path` and yield its file descriptor; wait while another call holds it.

    The system releases the lock when its last holder ends, however it ends.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            console.say('another call is setting up; waiting for it ...')
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield descriptor
    finally:
        os.close(descriptor)
