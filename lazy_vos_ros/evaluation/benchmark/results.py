"""The results of one method on one data set: `results.json` and the table for people."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lazy_vos_ros.evaluation.benchmark.datasets import Dataset
from lazy_vos_ros.evaluation.benchmark.figures import KEYS
from lazy_vos_ros.evaluation.benchmark.figures import FrameRule
from lazy_vos_ros.evaluation.benchmark.figures import mean_figures
from lazy_vos_ros.evaluation.benchmark.figures import object_figures
from lazy_vos_ros.evaluation.benchmark.figures import over_seeds
from lazy_vos_ros.evaluation.benchmark.figures import scored_count
from lazy_vos_ros.evaluation.benchmark.records import ObjectRecord
from lazy_vos_ros.evaluation.benchmark.records import SequenceRecord
from lazy_vos_ros.evaluation.benchmark.settings import Settings
from lazy_vos_ros.evaluation.counts import plural

LEGEND = """\
J: overlap with the true masks, F: of the outlines, R@0.5: frames with J of 0.5 or more; percent.
NoC: corrections by the person (a sum), IDI: mean seconds from one interaction with an object to
the next, ACI: in effect the corrections of one object; fps: time steps a second. The formulas are
in docs/metrics.md."""
"""What the names in the tables of the benchmark mean."""


@dataclass(frozen=True)
class Results:
    """Figures with everything that is needed to get them again."""

    about: dict[str, Any]
    """Method, backend, init, dataset and so on."""
    mean: dict[str, Any]
    """Over all objects and seeds, by the names of :data:`~.figures.KEYS` and some more."""
    spread: dict[str, Any]
    """Standard deviation over the seeds; empty for one seed."""
    seeds: tuple[dict[str, Any], ...]
    """The means of each seed."""
    sequences: tuple[dict[str, Any], ...]
    """Of the first seed, in natural order."""

    @classmethod
    def of(
        cls,
        dataset: Dataset,
        settings: Settings,
        records: Sequence[SequenceRecord],
        seeds: Sequence[int],
        rule: FrameRule,
    ) -> Results:
        """Return the results of records of the same sequences with each of the seeds."""
        order = {files.name: place for place, files in enumerate(dataset.sequences)}
        records = sorted(records, key=lambda record: order[record.name])
        of_seed = {seed: [item for item in records if item.seed == seed] for seed in seeds}
        means = [mean_figures(of_seed[seed], rule, fps=settings.fps) for seed in seeds]
        mean, spread = over_seeds(means)
        return cls(
            about=_about(dataset, settings, of_seed[seeds[0]], rule),
            mean=mean,
            spread=spread,
            seeds=tuple({'seed': seed, **item} for seed, item in zip(seeds, means, strict=True)),
            sequences=tuple(_sequence(item, settings, rule) for item in of_seed[seeds[0]]),
        )

    def to_json(self) -> dict[str, Any]:
        """Return plain values, as `results.json` has them."""
        return {
            **self.about,
            'mean': self.mean,
            'spread': self.spread,
            'seeds': list(self.seeds),
            'sequences': list(self.sequences),
        }

    def write(self, path: Path) -> None:
        """Write `results.json`."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(self.to_json(), indent=2) + '\n', encoding='utf-8')

    def table(self) -> str:
        """Return a line for each object of the first seed and one for the mean."""
        head = f'{"sequence":<24}{"object":>7}{"frames":>8}{"scored":>8}'
        lines = [head + ''.join(f'{key:>8}' for key in KEYS)]
        for sequence in self.sequences:
            for item in sequence['objects']:
                lines.append(
                    f'{sequence["name"][:23]:<24}{item["id"]:>7}{item["frames"]:>8}'
                    f'{item["scored"]:>8}{figures_text(item)}'
                )
        count = f'{self.mean["scored objects"]:g} ' + plural(self.mean['scored objects'], 'object')
        lines.append(f'{"mean":<24}{count:>23}{figures_text(self.mean)}')
        if self.spread:
            count = f'{len(self.seeds)} seeds'
            lines.append(f'{"deviation":<24}{count:>23}{figures_text(self.spread)}')
        notes = [f'{s["name"]}: {note}' for s in self.sequences for note in s['notes']]
        return '\n'.join([*lines, *notes])


def figures_text(figures: dict[str, Any]) -> str:
    """Return the figures of :data:`KEYS`, 8 characters each."""
    return ''.join(f'{number_text(key, figures.get(key)):>8}' for key in KEYS)


def number_text(key: str, value: float | None) -> str:
    """Return a figure as its table shows it; qualities in percent."""
    if value is None:
        return '-'
    if key == 'NoC':
        return f'{value:.4g}'
    if key in ('IDI', 'ACI', 'fps'):
        return f'{value:.2f}'
    return f'{100 * value:.1f}'


def _about(
    dataset: Dataset, settings: Settings, records: Sequence[SequenceRecord], rule: FrameRule
) -> dict[str, Any]:
    return {
        'method': settings.method.name,
        'backend': records[0].backend,
        'refiner': records[0].refiner,
        'init': settings.init,
        'dataset': str(dataset.path),
        'layout': dataset.layout.name,
        'devices': sorted({record.device for record in records}),
        'frames': sum(record.frames for record in records),
        'frame_rule': asdict(rule),
        'settings': settings.record(),
    }


def _sequence(record: SequenceRecord, settings: Settings, rule: FrameRule) -> dict[str, Any]:
    fps = record.frames / record.seconds if record.seconds > 0 else None
    return {
        'name': record.name,
        'frames': record.frames,
        'objects': [_object(item, fps, settings, rule) for item in record.objects],
        'notes': list(record.notes),
    }


def _object(
    item: ObjectRecord, fps: float | None, settings: Settings, rule: FrameRule
) -> dict[str, Any]:
    return {
        'id': item.object_id,
        **object_figures(item, rule, fps=settings.fps),
        'fps': fps,
        'first': item.first,
        'frames': item.frames,
        'scored': scored_count(item, rule),
        'corrections': list(item.corrections),
        'events': dict(item.events),
    }
