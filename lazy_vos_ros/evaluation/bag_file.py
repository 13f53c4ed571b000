"""Open a rosbag2 (MCAP or SQLite) without ROS, also a damaged one."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterator
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Any

from rosbags.interfaces import MessageDefinition
from rosbags.interfaces import MessageDefinitionFormat
from rosbags.typesys import Stores
from rosbags.typesys import get_types_from_idl
from rosbags.typesys import get_types_from_msg
from rosbags.typesys import get_typestore

from lazy_vos_ros.evaluation.bag_parts import COMPRESSED
from lazy_vos_ros.evaluation.bag_parts import find_parts
from lazy_vos_ros.evaluation.message_types import lazy_vos_typestore
from lazy_vos_ros.evaluation.salvage.compression import decompress_file
from lazy_vos_ros.evaluation.salvage.records import NO_DEFINITION
from lazy_vos_ros.evaluation.salvage.records import Topic
from lazy_vos_ros.evaluation.salvage.storage_file import StorageFile

IDL_SEPARATOR = '=' * 80 + '\n'


class BagFile:
    """Messages of a bag by topic; use it in a `with` statement.

    Types are those that the bag itself defines, else those that this package knows. Of a bag that
    is damaged, cut off or lacks files, everything that is whole is read, and `faults` tells the
    rest.
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
            If it is no bag or has no message that can be read, saying why.
        """
        self.path = Path(path)
        self._faults: list[str] = []
        self._files: list[StorageFile] = []
        self._stack = ExitStack()
        self._known = lazy_vos_typestore()
        self._types = get_typestore(Stores.EMPTY)
        self._prepared: set[str] = set()
        try:
            self._promised = self._open()
        except BaseException:
            self.close()
            raise

    @property
    def faults(self) -> list[str]:
        """What could not be read up to now, for people."""
        return [*self._faults, *(fault for file in self._files for fault in file.faults)]

    @property
    def topics(self) -> dict[str, str]:
        """The type of every recorded topic."""
        return {topic.name: topic.kind for topic in self._all_topics()}

    def topics_of(self, message_type: str) -> list[str]:
        """Return the topics of a type, such as `sensor_msgs/msg/Image`, by name."""
        return sorted(topic for topic, kind in self.topics.items() if kind == message_type)

    def missing(self) -> dict[str, int]:
        """Return how many messages of a topic its metadata promise that are not there."""
        there: Counter[str] = Counter()
        for topic in self._all_topics():
            there[topic.name] += topic.count
        return {
            topic: count - there[topic]
            for topic, count in sorted(self._promised.items())
            if count > there[topic]
        }

    def messages(self, *topics: str) -> Iterator[tuple[str, int, Any]]:
        """Yield topic, time of recording (ns) and message, in the order of recording.

        A message that cannot be decoded is left out, and `faults` tells it.
        """
        kinds = self.topics
        for topic, time, data in self.raw_messages(*topics):
            message = self._decode(topic, kinds[topic], data)
            if message is not None:
                yield topic, time, message

    def raw_messages(
        self, *topics: str, start: int | None = None, stop: int | None = None
    ) -> Iterator[tuple[str, int, bytes]]:
        """Yield topic, time of recording (ns) and serialised message, in the order of recording.

        Only those recorded from `start` on and before `stop` (ns), if given.
        """
        parts = [file.messages(topics, start, stop) for file in self._files]
        yield from heapq.merge(*parts, key=lambda item: item[1])

    def decoded_at(self, topic: str, time: int) -> Iterator[Any]:
        """Yield the messages of a topic that were recorded at this time (ns)."""
        kind = self.topics[topic]
        for _, _, data in self.raw_messages(topic, start=time, stop=time + 1):
            message = self._decode(topic, kind, data)
            if message is not None:
                yield message

    def close(self) -> None:
        """Close the files."""
        for file in self._files:
            file.close()
        self._stack.close()

    def __enter__(self) -> BagFile:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _open(self) -> dict[str, int]:
        """Open all files; return the messages that the metadata promise by topic."""
        parts = find_parts(self.path)
        self._faults += parts.faults
        reasons = []
        for path in parts.files:
            try:
                self._files.append(StorageFile(self._decompressed(path)))
            except ValueError as error:
                reasons.append(str(error))
        self._faults += reasons
        if not any(topic.count for topic in self._all_topics()):
            why = '; '.join(reasons) or 'its files are empty'
            raise ValueError(f'{self.path} has no messages ({why}); allowed: a rosbag2 with some')
        return parts.promised

    def _decompressed(self, path: Path) -> Path:
        """Return a file that is not compressed as a whole."""
        if path.suffix != COMPRESSED:
            return path
        folder = self._stack.enter_context(TemporaryDirectory(prefix='lazy_vos_bag_'))
        target = Path(folder) / path.name.removesuffix(COMPRESSED)
        if not decompress_file(path, target):
            self._faults.append(f'{path.name} is cut off or damaged')
        return target

    def _all_topics(self) -> list[Topic]:
        return [topic for file in self._files for topic in file.topics]

    def _decode(self, topic: str, kind: str, data: bytes) -> Any:
        self._prepare(kind)
        try:
            return self._types.deserialize_cdr(data, kind)
        except Exception as error:  # whatever wrong lengths in the data lead to
            self._note(f'{topic} has messages that are no {kind}: {type(error).__name__} {error}')
            return None

    def _note(self, fault: str) -> None:
        if fault not in self._faults:
            self._faults.append(fault)

    def _prepare(self, kind: str) -> None:
        """Make a type known, once: as the bag defines it, else as this package does.

        Raises
        ------
        ValueError
            If neither does.
        """
        if kind in self._prepared:
            return
        if not any(self._register(kind, text) for text in self._definitions_of(kind)):
            if kind not in self._known.fielddefs:
                raise ValueError(
                    f'{self.path} has messages of {kind} and does not define it; allowed: bags '
                    'that define their types'
                )
            self._add(self._known.fielddefs)
        self._prepared.add(kind)

    def _definitions_of(self, kind: str) -> list[MessageDefinition]:
        found = dict.fromkeys(t.definition for t in self._all_topics() if t.kind == kind)
        return [definition for definition in found if definition != NO_DEFINITION]

    def _register(self, kind: str, definition: MessageDefinition) -> bool:
        """Take a type from its definition; return whether that could be read."""
        try:
            types = _types_of(kind, definition)
            self._add(types)
        except Exception as error:  # whatever damaged text leads to
            self._note(f'the definition of {kind} cannot be read: {type(error).__name__}')
            return False
        return kind in types

    def _add(self, types: Mapping[str, Any]) -> None:
        # A type that is inside of several others is defined with each of them.
        self._types.register({k: v for k, v in types.items() if k not in self._types.fielddefs})


def _types_of(kind: str, definition: MessageDefinition) -> dict[str, Any]:
    if definition.format == MessageDefinitionFormat.MSG:
        return dict(get_types_from_msg(definition.data, kind))
    parts = definition.data.split(IDL_SEPARATOR)
    texts = [part.split('\n', 1)[1] for part in parts if part.startswith('IDL: ')]
    types: dict[str, Any] = {}
    for text in texts or parts:
        types.update(get_types_from_idl(text))
    return types
