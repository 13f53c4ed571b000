"""What the operator has done, as far as it is remembered."""

from collections import deque
from dataclasses import replace

from lazy_vos_ros.nodes.operator_view import Entry
from lazy_vos_ros.nodes.operator_view import Outcome

KEPT = 200
"""Entries that are remembered."""


class History:
    """The last entries, oldest first; not for several threads."""

    def __init__(self) -> None:
        self._entries: deque[Entry] = deque(maxlen=KEPT)
        self._number = 0

    @property
    def entries(self) -> tuple[Entry, ...]:
        """All that is remembered."""
        return tuple(self._entries)

    def next_number(self) -> int:
        """Return a number that no entry has had."""
        self._number += 1
        return self._number

    def add(self, entry: Entry) -> None:
        """Remember an entry, and forget the oldest if there are too many."""
        self._entries.append(entry)

    def settle(self, key: str, outcome: Outcome, message: str) -> None:
        """Complete what was sent about a question."""
        for place, entry in enumerate(self._entries):
            if entry.key == key and entry.outcome is Outcome.SENT:
                self._entries[place] = replace(entry, outcome=outcome, message=message)

    def mark_undone(self, number: int) -> None:
        """Note that what an entry tells was taken back."""
        for place, entry in enumerate(self._entries):
            if entry.number == number:
                self._entries[place] = replace(entry, outcome=Outcome.UNDONE)

    def finish(
        self, number: int, outcome: Outcome, message: str, object_id: int | None = None
    ) -> None:
        """Complete what was ordered unasked; a new object gets its id."""
        for place, entry in enumerate(self._entries):
            if entry.number == number:
                given = entry.object_id if object_id is None else object_id
                self._entries[place] = replace(
                    entry, outcome=outcome, message=message, object_id=given
                )
