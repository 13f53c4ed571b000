"""The figures of evaluated runs as results.json and CSV, and as lines for people."""

from __future__ import annotations

import csv
import json
import re
import shutil
from collections.abc import Iterable
from collections.abc import Sequence
from dataclasses import asdict
from math import isfinite
from pathlib import Path
from statistics import fmean
from typing import Any

from lazy_vos_ros.engine.results import ObjectState
from lazy_vos_ros.evaluation import metrics
from lazy_vos_ros.evaluation.evaluated_run import EvaluatedRun
from lazy_vos_ros.evaluation.runs import Frame
from lazy_vos_ros.evaluation.runs import TimedEvent
from lazy_vos_ros.evaluation.summary import table
from lazy_vos_ros.evaluation.workload import signals_of
from lazy_vos_ros.evaluation.workload import workload_of

RESULTS = 'results.json'
FRAMES = 'frames_{}.csv'
EVENTS = 'events_{}.csv'
OURS = re.compile(r'results\.json|report\.html|figures|(frames|events)_.*\.csv')
"""Names of what an evaluation leaves in its folder; a later one replaces it."""

FRAME_COLUMNS = (
    'frame', 'stamp_ns', 'seconds', 'finished', 'mean_entropy', 'memorised', 'working_memory',
    'long_term_memory', 'dropped', 'latency_ms', 'predict_ms', 'lazy_ms', 'refine_ms',
    'commit_ms', 'object', 'label', 'uncertainty', 'derivative', 'area', 'x', 'y', 'width',
    'height', 'action', 'question_open', 'absent', 'J', 'F',
)  # fmt: skip
BUDGET = ('questions_per_minute', 'question_cooldown', 'question_timeout')
"""Settings that bound the workload; null where the bag does not tell them."""
EVENT_COLUMNS = (
    'kind', 'object', 'request', 'frame', 'stamp', 'seconds', 'applied_seconds', 'time',
    'reaction', 'clicks', 'uncertainty', 'derivative', 'reason',
)  # fmt: skip


def check_folder(out: Path) -> None:
    """Raise ValueError unless it is new, empty, or the folder of an earlier evaluation."""
    if out.exists() and not out.is_dir():
        raise ValueError(f'--out {out} is a file; allowed: a folder, which is made if need be')
    present = {path.name for path in out.iterdir()} if out.is_dir() else set()
    strange = sorted(name for name in present if not OURS.fullmatch(name))
    if strange or (present and RESULTS not in present):
        raise ValueError(
            f'--out {out} holds {", ".join((strange or sorted(present))[:3])}; allowed: a new or '
            'empty folder, or that of an earlier evaluation'
        )


def prepare_folder(out: Path) -> None:
    """Make the folder of the results, or empty that of an earlier evaluation.

    Raises
    ------
    ValueError
        If it is a file or holds something else, such as a bag.
    OSError
        If it cannot be written.
    """
    check_folder(out)
    out.mkdir(parents=True, exist_ok=True)
    for path in out.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()


def write_results(runs: Sequence[EvaluatedRun], out: Path) -> None:
    """Write `results.json`, and for each run `frames_NAME.csv` and `events_NAME.csv`.

    Values that are unknown or not finite are null in JSON and empty in CSV.
    """
    text = json.dumps(plain(results_of(runs)), indent=2, allow_nan=False)
    (out / RESULTS).write_text(text + '\n', encoding='utf-8')
    for run in runs:
        _write_csv(out / FRAMES.format(run.name), FRAME_COLUMNS, frame_rows(run))
        _write_csv(out / EVENTS.format(run.name), EVENT_COLUMNS, event_rows(run))


def results_of(runs: Sequence[EvaluatedRun]) -> dict[str, Any]:
    """Return what `results.json` holds: as of a data set whose sequences are the runs."""
    settings = runs[0].settings
    return {
        'method': 'recorded',
        'backend': settings.get('weights'),
        'refiner': settings.get('refiner'),
        'init': runs[0].about.get('init'),
        'dataset': [run.about.get('bag') for run in runs],
        'mean': mean_of(runs),
        'sequences': [sequence_of(run) for run in runs],
    }


def mean_of(runs: Sequence[EvaluatedRun]) -> dict[str, Any]:
    """Return the figures over all runs.

    Qualities and ACI are means over the objects that have them, NoC is their sum, IDI is pooled,
    and `fps` is a mean over the runs.
    """
    qualities = [q.measures for run in runs if run.quality for q in run.quality.objects]
    qualities = [item for item in qualities if item]
    efforts = [effort for run in runs for effort in run.summary.objects]
    rates = [run.summary.fps for run in runs if run.summary.fps is not None]
    seconds = sum(effort.seconds for effort in efforts)
    corrections = sum(effort.noc for effort in efforts)
    return {
        **{key: fmean(q[key] for q in qualities) for key in (qualities[0] if qualities else ())},
        'NoC': corrections,
        'IDI': seconds / (corrections + len(efforts)) if efforts else None,
        'ACI': fmean(effort.aci for effort in efforts) if efforts else None,
        'fps': fmean(rates) if rates else None,
    }


def sequence_of(run: EvaluatedRun) -> dict[str, Any]:
    """Return all figures of one run."""
    figures = {key: value for key, value in asdict(run.summary).items() if key != 'objects'}
    return {
        'name': run.name,
        **run.about,
        'objects': [_object(run, effort.object_id) for effort in run.summary.objects],
        'scored frames': run.quality.frames if run.quality else 0,
        'figures': figures,
        'workload': asdict(workload_of(run.run)),
        'budget': {name: run.settings.get(name) for name in BUDGET},
        'repaired': run.repaired.mean if run.repaired else None,
        'signals': asdict(signals_of(run.run)),
        'diagnostics': [asdict(item) for item in run.run.diagnoses],
        'settings': dict(run.settings),
        'notes': list(run.missing),
    }


def _object(run: EvaluatedRun, object_id: int) -> dict[str, Any]:
    effort = next(item for item in run.summary.objects if item.object_id == object_id)
    quality = run.quality.of(object_id) if run.quality else None
    scored: dict[str, Any] = {}
    if quality is not None:
        scored = {
            'true id': quality.true_id,
            'scored frames': len(quality.counted),
            **quality.measures,
        }
    return {
        'id': object_id,
        'label': effort.label,
        'frames': effort.frames,
        'seconds': effort.seconds,
        'NoC': effort.noc,
        'IDI': effort.idi,
        'ACI': effort.aci,
        **scored,
    }


def frame_rows(run: EvaluatedRun) -> Iterable[dict[str, Any]]:
    """Yield a row for each object of each frame; a frame without objects has one row."""
    for frame in run.run.frames:
        whole = _frame_row(run, frame)
        for state in frame.objects:
            yield whole | _state_row(run, frame, state)
        if not frame.objects:
            yield whole


def _frame_row(run: EvaluatedRun, frame: Frame) -> dict[str, Any]:
    timings = {
        f'{part}_ms': 1e3 * getattr(frame.timings, part)
        for part in ('predict', 'lazy', 'refine', 'commit')
    }
    return {
        'frame': frame.index,
        'stamp_ns': frame.stamp,
        'seconds': run.seconds(frame),
        'finished': frame.finished,
        'mean_entropy': frame.mean_entropy,
        'memorised': int(frame.memorised),
        'working_memory': frame.working_memory,
        'long_term_memory': frame.long_term_memory,
        'dropped': frame.dropped,
        'latency_ms': None if frame.latency is None else 1e3 * frame.latency,
        **timings,
    }


def _state_row(run: EvaluatedRun, frame: Frame, state: ObjectState) -> dict[str, Any]:
    quality = run.quality.of(state.object_id) if run.quality else None
    score = None if quality is None else quality.score_of(frame.stamp)
    box = state.box or (None,) * 4
    return {
        'object': state.object_id,
        'label': state.label,
        'uncertainty': state.uncertainty,
        'derivative': state.derivative,
        'area': state.area,
        **dict(zip(('x', 'y', 'width', 'height'), box, strict=True)),
        'action': state.action.value,
        'question_open': int(state.question_open),
        'absent': int(state.absent),
        'J': None if score is None else score.j,
        'F': None if score is None else score.f,
    }


def event_rows(run: EvaluatedRun) -> Iterable[dict[str, Any]]:
    """Yield a row for each event."""
    reactions = {id(item.closing): item.reaction for item in run.questions if item.closing}
    for event in run.run.events:
        yield _event_row(run, event) | {'reaction': reactions.get(id(event))}


def _event_row(run: EvaluatedRun, event: TimedEvent) -> dict[str, Any]:
    return {
        'kind': event.kind.value,
        'object': event.object_id,
        'request': event.request_id,
        'frame': event.frame_index,
        'stamp': event.stamp,
        'seconds': event.stamp - run.begin,
        'applied_seconds': event.applied_stamp - run.begin,
        'time': event.time,
        'clicks': ' '.join(
            f'{"+" if click.positive else "-"}{click.x:g},{click.y:g}' for click in event.clicks
        ),
        'uncertainty': event.uncertainty,
        'derivative': event.derivative,
        'reason': event.reason,
    }


def text_of(run: EvaluatedRun) -> str:
    """Return the figures of a run as lines for people, with what was missing."""
    workload = workload_of(run.run)
    lines = [f'{key:<26}{value}' for key, value in run.about.items()]
    lines += [table(run.summary)]
    rate = workload.questions_per_minute
    lines += [
        f'{"questions per minute":<26}{"-" if rate is None else f"{rate:.2f}":>12}',
        f'{"  most in one minute":<26}{workload.most_in_a_minute:>12}',
        f'{"a question was open":<26}{f"{workload.waiting:.1f} s":>12}',
    ]
    lines += _quality_lines(run)
    return '\n'.join([*lines, *(f'note: {note}' for note in run.missing)])


def _quality_lines(run: EvaluatedRun) -> list[str]:
    if run.quality is None:
        return []
    rows = [
        (f'{q.object_id} {q.label}', str(len(q.counted)), q.measures) for q in run.quality.objects
    ]
    rows.append(('mean', '', run.quality.mean))
    if run.repaired is not None:
        rows.append(('mean after replays', '', run.repaired.mean))
    keys = ('J', 'F', 'J&F', *(f'R@{tau:g}' for tau in metrics.RECALL_THRESHOLDS))
    head = f'{"object":<26}{"scored":>8}' + ''.join(f'{key:>8}' for key in keys)
    return [
        '',
        head,
        *(
            f'{name:<26}{count:>8}'
            + ''.join(f'{f"{100 * found[key]:.1f}" if found else "-":>8}' for key in keys)
            for name, count, found in rows
        ),
    ]


def plain(value: Any) -> Any:
    """Return a value for JSON: numbers that are not finite become null."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, float) and not isfinite(value):
        return None
    return value


def _write_csv(path: Path, columns: Sequence[str], rows: Iterable[dict[str, Any]]) -> None:
    with path.open('w', encoding='utf-8', newline='') as file:
        writer = csv.DictWriter(file, columns, restval='')
        writer.writeheader()
        for row in rows:
            writer.writerow({key: '' if plain(v) is None else v for key, v in row.items()})
