"""A place for one item: the newest wins."""

from threading import Lock
from typing import Generic
from typing import TypeVar

Item = TypeVar('Item')


class Slot(Generic[Item]):
    """Holds the newest item until it is taken; thread-safe."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._item: Item | None = None
        self._dropped = 0

    @property
    def dropped(self) -> int:
        """Items that were replaced by a newer one before they were taken."""
        return self._dropped

    def put(self, item: Item) -> None:
        """Replace what is in it."""
        with self._lock:
            self._dropped += self._item is not None
            self._item = item

    def take(self) -> Item | None:
        """Return what is in it, and leave it empty."""
        with self._lock:
            item, self._item = self._item, None
            return item

    def clear(self) -> None:
        """Forget the item and the count."""
        with self._lock:
            self._item = None
            self._dropped = 0
