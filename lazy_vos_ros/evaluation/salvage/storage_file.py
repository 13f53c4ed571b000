"""One storage file of a bag: by the library if it is whole, else record by record."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from collections.abc import Collection
from collections.abc import Iterator
from collections.abc import Sequence
from pathlib import Path

from lazy_vos_ros.evaluation.counts import counted
from lazy_vos_ros.evaluation.salvage.compression import ZSTD_MAGIC
from lazy_vos_ros.evaluation.salvage.compression import decompress_part
from lazy_vos_ros.evaluation.salvage.library import LibraryStorage
from lazy_vos_ros.evaluation.salvage.mcap import SalvagedMcap
from lazy_vos_ros.evaluation.salvage.records import Storage
from lazy_vos_ros.evaluation.salvage.records import Topic
from lazy_vos_ros.evaluation.salvage.sqlite import SalvagedSqlite
from lazy_vos_ros.evaluation.salvage.sqlite_pages import FILE_HEAD
from lazy_vos_ros.evaluation.salvage.sqlite_pages import MAGIC

SALVAGERS: dict[str, Callable[[Path], SalvagedMcap | SalvagedSqlite]] = {
    '.mcap': SalvagedMcap,
    '.db3': SalvagedSqlite,
}
"""What reads a damaged file, by its suffix."""


class StorageFile:
    """Messages of one file, whether it is whole or not; see :class:`Storage`.

    Damage may show only while reading. The rest is then read record by record.
    """

    def __init__(self, path: Path) -> None:
        """Open a file.

        Raises
        ------
        ValueError
            If nothing in it can be read, saying why.
        """
        self.path = path
        self.faults: list[str] = []
        """What could not be read, for people."""
        self._whole = False
        reason = unfinished(path)
        if not reason:
            try:
                self._storage: Storage = LibraryStorage(path)
            except Exception as error:  # each storage raises its own
                reason = _words(error)
            else:
                self._whole = True
        if not self._whole:
            self._storage = self._salvaged(reason)

    @property
    def topics(self) -> Sequence[Topic]:
        """The topics, each once."""
        return self._storage.topics

    def messages(
        self, topics: Collection[str], start: int | None = None, stop: int | None = None
    ) -> Iterator[tuple[str, int, bytes]]:
        """Yield topic, time of recording (ns) and serialised message, ascending by time."""
        given: Counter[tuple[str, int, int]] = Counter()
        if self._whole:
            try:
                for topic, time, data in self._storage.messages(topics, start, stop):
                    given[topic, time, len(data)] += 1
                    yield topic, time, _plain(data)
                if start is None and stop is None:
                    self._check_count(topics, given.total())
            except Exception as error:  # see __init__
                if not self._replace(_words(error)):
                    return
            else:
                return
        for topic, time, data in self._storage.messages(topics, start, stop):
            if given[topic, time, len(data)]:
                given[topic, time, len(data)] -= 1
            else:
                yield topic, time, _plain(data)

    def close(self) -> None:
        """Close the file."""
        self._storage.close()

    def _check_count(self, topics: Collection[str], count: int) -> None:
        """Raise ValueError if fewer messages came than the file's index has."""
        indexed = sum(topic.count for topic in self.topics if topic.name in topics)
        if count < indexed:
            raise ValueError(
                f'its index has {counted(indexed, "message")}, the file {indexed - count} fewer'
            )

    def _replace(self, reason: str) -> bool:
        """Read record by record from now on; return whether that gives anything."""
        try:
            salvaged = self._salvaged(reason)
        except ValueError as error:
            if str(error) not in self.faults:
                self.faults.append(str(error))
            return False
        self._storage.close()
        self._storage, self._whole = salvaged, False
        return True

    def _salvaged(self, reason: str) -> Storage:
        salvaged = SALVAGERS[self.path.suffix](self.path)
        count = sum(topic.count for topic in salvaged.topics)
        if not count:
            salvaged.close()
            raise ValueError(f'{self.path} holds no message that can be read: {reason}')
        details = '; '.join([reason, *salvaged.faults])
        self.faults.append(
            f'{self.path.name} is not whole and gives {counted(count, "message")}: {details}'
        )
        return salvaged


def unfinished(path: Path) -> str:
    """Return why an SQLite file holds more or less than SQLite would read; empty if it does not.

    Of what a killed recorder leaves, SQLite reads only what finished transactions tell of.
    """
    if path.suffix != '.db3':
        return ''
    for ending in ('-wal', '-journal'):
        beside = path.with_name(path.name + ending)
        if beside.is_file() and any(beside.read_bytes()[:8]):  # zeros: a finished transaction
            return f'{beside.name} is left over from a recorder that did not finish'
    with path.open('rb') as file:
        head = file.read(FILE_HEAD)
    if len(head) < FILE_HEAD or head[: len(MAGIC)] != MAGIC:
        return 'it does not begin as an SQLite file'
    page = int.from_bytes(head[16:18], 'big')
    promised = int.from_bytes(head[28:32], 'big') * (65536 if page == 1 else page)
    size = path.stat().st_size
    return '' if size == promised else f'it has {size} bytes and promises {promised}'


def _plain(data: bytes) -> bytes:
    """Return a message, which `ros2 bag record` may have compressed one by one."""
    # A serialised message begins with the two bytes of its encapsulation, of which one is 0.
    return decompress_part(data, 'zstd') if data[:4] == ZSTD_MAGIC else data


def _words(error: Exception) -> str:
    return str(error).strip().rstrip('.') or type(error).__name__
