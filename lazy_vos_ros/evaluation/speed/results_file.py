"""The results of a machine in one JSON file, complete after every row."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lazy_vos_ros.evaluation.speed.machine import Facts

Row = dict[str, Any]

PARTS = ('step', 'ros', 'official')
"""Lists of rows: the tracker alone, the way through ROS, beside the published code."""


class ResultsFile:
    """Rows by part; each has a `case`, and `figures` or an `error`."""

    def __init__(self, path: Path, machine: Facts) -> None:
        """Open the file, or begin one.

        Raises
        ------
        ValueError
            If it is not a file of results, or of another machine.
        """
        self.path = path
        self._machine = machine
        self._rows: dict[str, list[Row]] = {part: [] for part in PARTS}
        if path.is_dir():
            raise ValueError(f'{path} is a folder; allowed: a file, which is made if need be')
        if path.exists():
            self._read()

    def _read(self) -> None:
        try:
            found = json.loads(self.path.read_text(encoding='utf-8'))
        except ValueError as error:
            found, fault = None, f'it is no JSON: {error}'
        else:
            fault = _fault(found)
        if fault:
            raise ValueError(
                f'{self.path} holds no results of bench: {fault}; allowed: another file'
            )
        machine = found['machine']
        if machine != self._machine:
            names = {*machine, *self._machine}
            changed = [
                f'{name}: {machine.get(name)}, now {self._machine.get(name)}'
                for name in sorted(names)
                if machine.get(name) != self._machine.get(name)
            ]
            raise ValueError(
                f'{self.path} is of another machine ({"; ".join(changed)}); allowed: another file'
            )
        self._rows = {part: found[part] for part in PARTS}

    def rows(self, part: str) -> list[Row]:
        """Return the rows of a part."""
        return self._rows[part]

    def begin(self, part: str) -> None:
        """Forget the rows of a part, in the file too."""
        self._rows[part] = []
        self._write()

    def find(self, part: str, case: Mapping[str, Any]) -> Row | None:
        """Return the row of a case that was measured; None if there is none without an error."""
        for row in self._rows[part]:
            if row['case'] == case and 'figures' in row:
                return row
        return None

    def keep(self, part: str, row: Row) -> None:
        """Add a row in place of one of the same case; a reader sees all of the file or nothing."""
        others = [item for item in self._rows[part] if item['case'] != row['case']]
        self._rows[part] = [*others, row]
        self._write()

    def _write(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        draft = self.path.with_name(f'{self.path.name}.part')
        text = json.dumps({'machine': self._machine, **self._rows}, indent=1)
        draft.write_text(f'{text}\n', encoding='utf-8')
        os.replace(draft, self.path)


def _fault(found: Any) -> str:
    """Return what keeps the content of a file from being results; empty: nothing."""
    if not isinstance(found, dict):
        return f'it is a {type(found).__name__}'
    lacking = [name for name in ('machine', *PARTS) if name not in found]
    if lacking:
        return f'it has no {", ".join(lacking)}'
    if not isinstance(found['machine'], dict):
        return 'machine is no mapping'
    for part in PARTS:
        rows = found[part]
        if not isinstance(rows, list) or not all(_is_row(row) for row in rows):
            return f'{part} is no list of rows'
    return ''


def _is_row(row: Any) -> bool:
    return isinstance(row, dict) and 'case' in row
