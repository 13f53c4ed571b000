"""One method over one data set: from the jobs to the results."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field
from pathlib import Path

from lazy_vos_ros.evaluation.benchmark.datasets import Dataset
from lazy_vos_ros.evaluation.benchmark.executors import executor_for
from lazy_vos_ros.evaluation.benchmark.executors import threads_per_job
from lazy_vos_ros.evaluation.benchmark.figures import FrameRule
from lazy_vos_ros.evaluation.benchmark.figures import mean_figures
from lazy_vos_ros.evaluation.benchmark.jobs import Failure
from lazy_vos_ros.evaluation.benchmark.jobs import Job
from lazy_vos_ros.evaluation.benchmark.progress import Progress
from lazy_vos_ros.evaluation.benchmark.records import SequenceRecord
from lazy_vos_ros.evaluation.benchmark.results import Results
from lazy_vos_ros.evaluation.benchmark.settings import Settings
from lazy_vos_ros.evaluation.benchmark.store import Store
from lazy_vos_ros.evaluation.counts import counted


@dataclass(frozen=True)
class Means:
    """With what a benchmark is run; it does not change the numbers."""

    workers: int = 1
    dask: str | None = None
    threads: int | None = None
    """CPU threads of each job; None: the cores divided by the workers."""
    masks: Path | None = None
    """Folder for masks; None: none are written."""


@dataclass(frozen=True)
class Plan:
    """What is run."""

    dataset: Dataset
    settings: Settings
    seeds: tuple[int, ...] = (0,)
    rule: FrameRule = field(default_factory=FrameRule)

    @property
    def used_seeds(self) -> tuple[int, ...]:
        """The seeds that make a difference: all where the method draws, else the first."""
        return self.seeds if self.settings.method.random else self.seeds[:1]


def run_benchmark(plan: Plan, folder: Path, means: Means) -> Results:
    """Track what is not finished yet, keep it in `folder`, and return the results.

    Raises
    ------
    RuntimeError
        If sequences failed; the others were tracked and kept.
    """
    jobs = jobs_of(plan, means)
    store = Store(folder)
    found = [store.find(job) for job in jobs]
    records = [kept.record for kept in found if kept.record is not None]
    waiting = [job for job, kept in zip(jobs, found, strict=True) if kept.record is None]
    progress = Progress(sum(len(job.files.images) for job in waiting), len(waiting))
    if records:
        progress.say(f'finished already: {len(records)} of {counted(len(jobs), "sequence")}')
    for job, kept in zip(jobs, found, strict=True):
        if kept.reason:
            progress.say(f'{job.files.name} is tracked again: {kept.reason}')
    execute = executor_for(workers=means.workers, dask=means.dask, on_frame=progress.frame)
    failures: list[Failure] = []
    try:
        for job, outcome in execute(waiting):
            if isinstance(outcome, Failure):
                failures.append(outcome)
                text = f'{outcome.name} FAILED: {outcome.reason}'
            else:
                store.keep(job, outcome)
                records.append(outcome)
                text = _line(outcome, plan)
            progress.sequence(text, len(job.files.images))
    finally:
        progress.close()
    _refuse_failures(failures, len(jobs))
    return Results.of(plan.dataset, plan.settings, records, plan.used_seeds, plan.rule)


def jobs_of(plan: Plan, means: Means) -> list[Job]:
    """Return one job for each sequence and seed, the longest sequences first.

    Long ones first, so that workers do not wait for one of them at the end.
    """
    threads = means.threads
    if threads is None and means.dask is None:
        threads = threads_per_job(means.workers)
    jobs = [
        Job(files, plan.settings, seed, _masks(means.masks, files.name, seed, plan), threads)
        for seed in plan.used_seeds
        for files in plan.dataset.sequences
    ]
    return sorted(jobs, key=lambda job: -len(job.files.images))


def _masks(folder: Path | None, name: str, seed: int, plan: Plan) -> Path | None:
    if folder is None:
        return None
    return folder / name if len(plan.used_seeds) == 1 else folder / f'seed{seed}' / name


def _line(record: SequenceRecord, plan: Plan) -> str:
    figures = mean_figures([record], plan.rule, fps=plan.settings.fps)
    quality = '-' if figures['J&F'] is None else f'{figures["J&F"]:.3f}'
    seed = f' seed {record.seed}' if len(plan.used_seeds) > 1 else ''
    return (
        f'{record.name}{seed}: {counted(record.frames, "frame")}, J&F {quality}, '
        f'NoC {figures["NoC"]}, {figures["fps"]:.1f} frames/s'
    )


def _refuse_failures(failures: Sequence[Failure], jobs: int) -> None:
    if failures:
        raise RuntimeError(
            f'{len(failures)} of {counted(jobs, "sequence")} failed, so there are no results; the '
            'others are kept, and the command can be run again. '
            + '; '.join(f'{item.name}: {item.reason}' for item in failures)
        )
