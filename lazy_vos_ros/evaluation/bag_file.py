"""Open a rosbag2 (MCAP or SQLite) without ROS."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any

from rosbags.interfaces import MessageDefinition
from rosbags.interfaces import MessageDefinitionFormat
from rosbags.rosbag2 import Reader
from rosbags.typesys import Stores
from rosbags.typesys import get_types_from_idl
from rosbags.typesys import get_types_from_msg
from rosbags.typesys import get_typestore

from lazy_vos_ros.evaluation.message_types import lazy_vos_typestore

STORAGE_SUFFIXES = ('.mcap', '.db3')
IDL_SEPARATOR = '=' * 80 + '\n'


class BagFile:
    """Messages of a bag by topic; use it in a `with` statement.

    Types are those that the bag itself defines, else those that this package knows.
    """

    def __init__(self, path: Path) -> None:
        """Open a bag.

        Parameters
        ----------
        path
            Folder of the bag, or one file of its storage.

        Raises
        ------
        ValueError
            If it is no bag, is cut off or damaged, saying which file and why.
        """
        self.path = Path(path)
        self.faults: list[str] = []
        """What could not be read on the way, for people."""
        self._reader = _open(self.path)
        self._known = lazy_vos_typestore()
        self._types = get_typestore(Stores.EMPTY)
        self._prepared: set[str] = set()

    @property
    def topics(self) -> dict[str, str]:
        """The type of every recorded topic."""
        return {item.topic: item.msgtype for item in self._reader.connections}

    def topics_of(self, message_type: str) -> list[str]:
        """Return the topics of a type, such as `sensor_msgs/msg/Image`, by name."""
        return sorted(topic for topic, kind in self.topics.items() if kind == message_type)

    def messages(self, *topics: str) -> Iterator[tuple[str, int, Any]]:
        """Yield topic, time of recording (ns) and message, in the order of recording.

        Where the bag is damaged this ends, a message that cannot be decoded is left out, and
        `faults` tells both.
        """
        for topic, time, data in self.raw_messages(*topics):
            message = self._decode(topic, data)
            if message is not None:
                yield topic, time, message

    def raw_messages(
        self, *topics: str, start: int | None = None, stop: int | None = None
    ) -> Iterator[tuple[str, int, bytes]]:
        """Yield topic, time of recording (ns) and serialised message.

        Only those recorded from `start` on and before `stop` (ns), if given. Where the bag is
        damaged this ends, and `faults` tells it.
        """
        wanted = [item for item in self._reader.connections if item.topic in topics]
        if not wanted:
            return
        try:
            for connection, time, data in self._reader.messages(wanted, start, stop):
                yield connection.topic, time, data
        except Exception as error:  # each storage raises its own, down to zlib's and SQLite's
            self._note(f'{self.path} is damaged, what follows is missing: {error}')

    def message_at(self, topic: str, time: int) -> Any:
        """Return the message that was recorded at this time (ns); None if it cannot be read."""
        for _, _, data in self.raw_messages(topic, start=time, stop=time + 1):
            return self._decode(topic, data)
        return None

    def close(self) -> None:
        """Close the files."""
        self._reader.close()

    def __enter__(self) -> BagFile:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _decode(self, topic: str, data: bytes) -> Any:
        kind = self.topics[topic]
        self._prepare(kind)
        try:
            return self._types.deserialize_cdr(data, kind)
        except Exception as error:  # whatever wrong lengths in the data lead to
            self._note(f'{topic} has messages that are no {kind}: {type(error).__name__} {error}')
            return None

    def _note(self, fault: str) -> None:
        if fault not in self.faults:
            self.faults.append(fault)

    def _prepare(self, kind: str) -> None:
        """Make a type known, once."""
        if kind in self._prepared:
            return
        defined = [item.msgdef for item in self._reader.connections if item.msgtype == kind]
        types = _types_of(kind, defined[0]) or self._known.fielddefs
        if kind not in types:
            raise ValueError(
                f'{self.path} has messages of {kind} and does not define it; allowed: bags that '
                'define their types'
            )
        # A type that is inside of several others is defined with each of them.
        self._types.register({k: v for k, v in types.items() if k not in self._types.fielddefs})
        self._prepared.add(kind)


def _types_of(kind: str, definition: MessageDefinition) -> dict[str, Any]:
    if definition.format == MessageDefinitionFormat.MSG:
        return dict(get_types_from_msg(definition.data, kind))
    if definition.format == MessageDefinitionFormat.IDL:
        parts = definition.data.split(IDL_SEPARATOR)
        texts = [part.split('\n', 1)[1] for part in parts if part.startswith('IDL: ')]
        types: dict[str, Any] = {}
        for text in texts or parts:
            types.update(get_types_from_idl(text))
        return types
    return {}


def _open(path: Path) -> Reader:
    """Open a bag's folder, or the one file in it if the recorder did not finish its metadata."""
    if not path.exists():
        raise ValueError(f'{path} does not exist; allowed: the folder of a rosbag2')
    target = path
    if path.is_dir() and not (path / 'metadata.yaml').is_file():
        files = [item for item in sorted(path.iterdir()) if item.suffix in STORAGE_SUFFIXES]
        if len(files) != 1:
            raise ValueError(
                f'{path} has no metadata.yaml and {len(files)} mcap or db3 files; allowed: the '
                'folder of a rosbag2'
            )
        target = files[0]
    try:
        reader = Reader(target)
        reader.open()
    except Exception as error:  # see raw_messages
        raise ValueError(f'{target} cannot be read as a rosbag2: {error}') from None
    if not any(item.msgcount for item in reader.connections):
        with suppress(Exception):
            reader.close()
        raise ValueError(f'{target} has no messages; allowed: a rosbag2 with some')
    return reader
