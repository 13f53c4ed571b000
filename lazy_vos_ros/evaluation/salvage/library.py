"""Read a whole storage file with the rosbags library."""

from __future__ import annotations

from collections.abc import Collection
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from rosbags.rosbag2 import Reader

from lazy_vos_ros.evaluation.salvage.records import Topic


class LibraryStorage:
    """Messages of a file that has all its parts; see :class:`Storage`."""

    def __init__(self, path: Path) -> None:
        """Open a file.

        Raises
        ------
        Exception
            Whatever the library and its storages raise for a file that is not whole, down to
            zlib's and SQLite's.
        """
        self._reader = Reader(path)
        self._reader.open()
        found: dict[str, Topic] = {}
        for item in self._reader.connections:
            before = found[item.topic].count if item.topic in found else 0
            found[item.topic] = Topic(
                item.topic, item.msgtype, item.msgdef, before + item.msgcount
            )
        self.topics = tuple(found.values())

    def messages(
        self, topics: Collection[str], start: int | None = None, stop: int | None = None
    ) -> Iterator[tuple[str, int, bytes]]:
        """Yield topic, time of recording (ns) and serialised message, ascending by time.

        Raises
        ------
        Exception
            Where the file is damaged, as above.
        """
        wanted = [item for item in self._reader.connections if item.topic in topics]
        if wanted:
            for connection, time, data in self._reader.messages(wanted, start, stop):
                yield connection.topic, time, bytes(data)

    def close(self) -> None:
        """Close the file."""
        with suppress(Exception):  # what a damaged file leads to
            self._reader.close()
