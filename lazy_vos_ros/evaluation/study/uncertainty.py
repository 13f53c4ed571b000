"""The uncertainty study: which measure warns best of a wrong mask."""

from __future__ import annotations

import json
from collections.abc import Callable
from collections.abc import Sequence
from dataclasses import asdict
from dataclasses import dataclass
from pathlib import Path

from lazy_vos_ros import __version__
from lazy_vos_ros.engine.config import LazyConfig
from lazy_vos_ros.evaluation.benchmark.datasets import SequenceFiles
from lazy_vos_ros.evaluation.study.boxplot import draw_dilations
from lazy_vos_ros.evaluation.study.boxplot import draw_measures
from lazy_vos_ros.evaluation.study.committee import Committee
from lazy_vos_ros.evaluation.study.correlations import Correlation
from lazy_vos_ros.evaluation.study.correlations import correlate
from lazy_vos_ros.evaluation.study.correlations import over_objects
from lazy_vos_ros.evaluation.study.epistemic import EPISTEMIC
from lazy_vos_ros.evaluation.study.measures import DILATIONS
from lazy_vos_ros.evaluation.study.measures import measures_of
from lazy_vos_ros.evaluation.study.observations import Observation
from lazy_vos_ros.evaluation.study.observations import Observer
from lazy_vos_ros.evaluation.study.tables import left_out
from lazy_vos_ros.evaluation.study.tables import table
from lazy_vos_ros.evaluation.study.tables import write_correlations
from lazy_vos_ros.evaluation.study.tables import write_observations
from lazy_vos_ros.evaluation.study.tables import write_summary


@dataclass(frozen=True)
class StudySettings:
    """How the study is done.

    Raises
    ------
    ValueError
        At construction, naming what came and what is allowed.
    """

    dilations: tuple[float, ...] = DILATIONS
    """The default dilation of the lazy layer is drawn in the first figure, or else the first."""
    epistemic: str = 'variance'
    with_absent: bool = False
    """Compare also frames in which the object is not in the true mask."""
    merge_objects: bool = False
    """Take all labels for one object."""

    def __post_init__(self) -> None:
        """Check what came."""
        measures_of(1, self.dilations)
        if self.epistemic not in EPISTEMIC:
            raise ValueError(
                f'epistemic uncertainty is {self.epistemic!r}; allowed: {", ".join(EPISTEMIC)}'
            )

    @property
    def drawn_dilation(self) -> float:
        """The dilation at which masked measures are compared with the others."""
        usual = LazyConfig().dilation_ratio
        return usual if usual in self.dilations else self.dilations[0]


@dataclass(frozen=True)
class Study:
    """All that was found."""

    settings: StudySettings
    committees: dict[str, str]
    """Networks and weights in words, by the name of the committee."""
    observations: tuple[Observation, ...]
    correlations: tuple[Correlation, ...]

    def report(self) -> str:
        """Return the table for people and what it leaves out."""
        lines = [f'{name}: {about}' for name, about in self.committees.items()]
        lines += ['', table(over_objects(self.correlations))]
        missing = left_out(self.correlations)
        lines += ['', 'left out:', *(f'  {line}' for line in missing)] if missing else []
        return '\n'.join(lines)

    def write(self, folder: Path, **about: object) -> None:
        """Write the tables, the figures and the settings into a folder that exists."""
        rows = over_objects(self.correlations)
        write_observations(folder / 'frames.csv', self.observations)
        write_correlations(folder / 'correlations.csv', self.correlations)
        write_summary(folder / 'summary.csv', rows)
        draw_measures(rows, self.settings.drawn_dilation, folder / 'measures')
        draw_dilations(rows, folder / 'dilations')
        record = {
            **about,
            'version': __version__,
            'committees': self.committees,
            **asdict(self.settings),
        }
        (folder / 'study.json').write_text(json.dumps(record, indent=2) + '\n', encoding='utf-8')


def study_uncertainty(
    sequences: Sequence[SequenceFiles],
    committees: Sequence[Committee],
    settings: StudySettings,
    on_frame: Callable[[], None] = lambda: None,
) -> Study:
    """Let every committee track every sequence and correlate what it says with its masks.

    Raises
    ------
    ValueError
        If images or annotations are not what they should be.
    """
    observers = [
        Observer(
            files,
            settings.dilations,
            settings.epistemic,
            merge_objects=settings.merge_objects,
        )
        for files in sequences
    ]
    objects = [item for observer in observers for item in observer.objects]
    observations: list[Observation] = []
    correlations: list[Correlation] = []
    for committee in committees:
        seen = [item for observer in observers for item in observer.watch(committee, on_frame)]
        measures = measures_of(committee.members, settings.dilations)
        observations += seen
        correlations += correlate(
            committee.name, objects, seen, measures, with_absent=settings.with_absent
        )
    if not observations:
        raise ValueError(
            'no annotated frame follows the first frame of any object; allowed: sequences with '
            'at least two annotated frames'
        )
    return Study(
        settings,
        {committee.name: committee.about for committee in committees},
        tuple(observations),
        tuple(correlations),
    )
