"""What a damaged storage file gives: topics, and where their messages lie."""

from __future__ import annotations

from collections.abc import Collection
from collections.abc import Iterator
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from rosbags.interfaces import MessageDefinition
from rosbags.interfaces import MessageDefinitionFormat

NO_DEFINITION = MessageDefinition(MessageDefinitionFormat.NONE, '')
DEFINITION_FORMATS = {
    'ros2msg': MessageDefinitionFormat.MSG,
    'ros2idl': MessageDefinitionFormat.IDL,
    'omgidl': MessageDefinitionFormat.IDL,
}


@dataclass(frozen=True)
class Topic:
    """A topic of one storage file."""

    name: str
    kind: str
    """Type of its messages, such as `sensor_msgs/msg/Image`."""
    definition: MessageDefinition
    """What the file itself says of that type, if anything."""
    count: int
    """Messages in the file."""


class Storage(Protocol):
    """One storage file of a bag."""

    @property
    def topics(self) -> Sequence[Topic]:
        """Its topics, each once."""
        ...

    def messages(
        self, topics: Collection[str], start: int | None = None, stop: int | None = None
    ) -> Iterator[tuple[str, int, bytes]]:
        """Yield topic, time of recording (ns) and serialised message, ascending by time.

        Only those recorded from `start` on and before `stop` (ns), if given.
        """
        ...

    def close(self) -> None:
        """Close the file."""
        ...


def definition_of(encoding: str, text: str) -> MessageDefinition:
    """Return a type's definition as it is stored; an unknown encoding is none."""
    if encoding not in DEFINITION_FORMATS:
        return NO_DEFINITION
    return MessageDefinition(DEFINITION_FORMATS[encoding], text)
