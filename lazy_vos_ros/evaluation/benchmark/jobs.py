"""The unit of work: one sequence, tracked once.

A job and its outcome are small values that can be sent to another process or machine; the same
function does the work here, in a pool and on a cluster.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch

from lazy_vos_ros.evaluation.benchmark.datasets import SequenceFiles
from lazy_vos_ros.evaluation.benchmark.networks import networks_for
from lazy_vos_ros.evaluation.benchmark.protocol import track_sequence
from lazy_vos_ros.evaluation.benchmark.records import SequenceRecord
from lazy_vos_ros.evaluation.benchmark.settings import Settings


@dataclass(frozen=True)
class Job:
    """One sequence to track; files must be at the same place wherever it runs."""

    files: SequenceFiles
    settings: Settings
    seed: int = 0
    masks: Path | None = None
    """Folder of the masks of this sequence; None: none are written."""
    threads: int | None = None
    """CPU threads of the networks; None: as PyTorch has it."""


@dataclass(frozen=True)
class Failure:
    """A sequence that could not be tracked."""

    name: str
    reason: str
    """For people."""


def run_job(job: Job, on_frame: Callable[[], None] = lambda: None) -> SequenceRecord | Failure:
    """Track one sequence; what is wrong with its files or the weights becomes a Failure."""
    before = torch.get_num_threads()
    if job.threads is not None:
        torch.set_num_threads(job.threads)
    try:
        return track_sequence(
            job.files,
            job.settings,
            networks_for(job.settings),
            seed=job.seed,
            masks=job.masks,
            on_frame=on_frame,
        )
    except (ValueError, RuntimeError, OSError) as error:
        if os.environ.get('LAZY_VOS_TRACEBACK'):
            raise
        return Failure(job.files.name, str(error))
    finally:
        torch.set_num_threads(before)
