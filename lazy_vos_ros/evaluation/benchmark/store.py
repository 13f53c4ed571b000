"""Finished sequences on disk, so that a benchmark can be interrupted and repeated."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

from lazy_vos_ros.evaluation.benchmark.jobs import Job
from lazy_vos_ros.evaluation.benchmark.records import SequenceRecord
from lazy_vos_ros.evaluation.benchmark.settings import differences
from lazy_vos_ros.evaluation.counts import counted

FOLDER = 'sequences'
SHOWN = 4
"""How many of the settings that differ are told."""


@dataclass(frozen=True)
class Kept:
    """What is on disk for a job."""

    record: SequenceRecord | None
    """None if the sequence must be tracked."""
    reason: str = ''
    """Why something that is there is not used, for people."""


class Store:
    """One JSON file for each sequence and seed below one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / FOLDER

    def path(self, job: Job) -> Path:
        """Return the file of a job."""
        return self._folder / f'{job.files.name}.seed{job.seed}.json'

    def find(self, job: Job) -> Kept:
        """Return the record of a job if it was made with the same settings and weights."""
        path = self.path(job)
        if not path.is_file():
            return Kept(None)
        try:
            record = SequenceRecord.from_json(json.loads(path.read_text(encoding='utf-8')))
        except ValueError as error:
            return Kept(None, f'{path} cannot be read ({error})')
        changed = differences(record.settings, job.settings.record())
        if changed:
            more = f'; and {len(changed) - SHOWN} more' if len(changed) > SHOWN else ''
            texts = '; '.join(changed[:SHOWN])
            return Kept(None, f'it was tracked with other settings ({texts}{more})')
        if record.frames != len(job.files.images):
            return Kept(
                None, f'it had {counted(record.frames, "frame")}, now {len(job.files.images)}'
            )
        if job.masks is not None and _count(job.masks) < record.frames:
            return Kept(None, 'its masks are not there')
        return Kept(record)

    def keep(self, job: Job, record: SequenceRecord) -> None:
        """Write a record; a reader sees all of it or nothing."""
        path = self.path(job)
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_suffix('.part')
        draft.write_text(json.dumps(record.to_json()) + '\n', encoding='utf-8')
        os.replace(draft, path)


def _count(folder: Path) -> int:
    return len(list(folder.glob('*.png'))) if folder.is_dir() else 0
