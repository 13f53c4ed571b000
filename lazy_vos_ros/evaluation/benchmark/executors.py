"""Do the jobs here, in processes of this machine, or on a Dask cluster: with equal results."""

from __future__ import annotations

import os
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures import as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from functools import partial
from multiprocessing import get_context
from typing import Any

from lazy_vos_ros.evaluation.benchmark.jobs import Failure
from lazy_vos_ros.evaluation.benchmark.jobs import Job
from lazy_vos_ros.evaluation.benchmark.jobs import run_job
from lazy_vos_ros.evaluation.benchmark.records import SequenceRecord

Outcome = SequenceRecord | Failure
Executor = Callable[[Sequence[Job]], Iterator[tuple[Job, Outcome]]]
"""Yields each job with its outcome, in whatever order they are done."""

THREAD_VARIABLES = ('OMP_NUM_THREADS', 'MKL_NUM_THREADS', 'OPENBLAS_NUM_THREADS')
DASK_TIMEOUT = 10.0
"""Seconds in which a scheduler must answer."""


def executor_for(
    *, workers: int = 1, dask: str | None = None, on_frame: Callable[[], None] = lambda: None
) -> Executor:
    """Return what does the jobs.

    Parameters
    ----------
    workers
        Processes on this machine; 1: this process.
    dask
        Address of a scheduler, such as ``tcp://host:8786``; None: no cluster.
    on_frame
        Called after each frame, where frames can be seen from here.

    Raises
    ------
    ValueError
        If both or less than one worker are asked for.
    """
    if workers < 1 or (dask is not None and workers != 1):
        raise ValueError(
            f'workers is {workers} and dask is {dask}; allowed: at least 1 worker, and not both'
        )
    if dask is not None:
        return partial(run_on_dask, address=dask)
    if workers > 1:
        return partial(run_in_processes, workers=workers)
    return partial(run_here, on_frame=on_frame)


def threads_per_job(workers: int) -> int:
    """Return the CPU threads of each job, so that all workers together use every core once."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, 'sched_getaffinity') else os.cpu_count()
    return max(1, (usable or 1) // workers)


def run_here(
    jobs: Sequence[Job], *, on_frame: Callable[[], None] = lambda: None
) -> Iterator[tuple[Job, Outcome]]:
    """Do the jobs in this process, one after the other."""
    for job in jobs:
        yield job, run_job(job, on_frame)


def run_in_processes(jobs: Sequence[Job], *, workers: int) -> Iterator[tuple[Job, Outcome]]:
    """Do the jobs in new processes of this machine.

    Raises
    ------
    RuntimeError
        If a process ended without a word, for lack of memory for example.
    """
    # A forked process would inherit the threads of PyTorch half alive.
    context = get_context('spawn')
    with _environment_for(jobs):
        pool = ProcessPoolExecutor(min(workers, max(1, len(jobs))), mp_context=context)
        futures = {pool.submit(run_job, job): job for job in jobs}
        try:
            for future in as_completed(futures):
                yield futures[future], future.result()
        except BrokenProcessPool:
            raise RuntimeError(
                'a worker process ended without a word, perhaps for lack of memory; what is '
                'finished is kept: run the command again, with fewer --workers'
            ) from None
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def run_on_dask(jobs: Sequence[Job], *, address: str) -> Iterator[tuple[Job, Outcome]]:
    """Do the jobs on the workers of a Dask scheduler, which see the same files.

    Raises
    ------
    RuntimeError
        If the package is not installed, no scheduler or no worker answers, or a worker fails in
        another way than on the files of a sequence.
    """
    distributed = _distributed()
    try:
        client = distributed.Client(address, timeout=DASK_TIMEOUT, set_as_default=False)
    except (OSError, ValueError) as error:
        raise RuntimeError(f'no Dask scheduler answers at {address}: {error}') from None
    with client:
        if not client.scheduler_info()['workers']:
            raise RuntimeError(
                f'the scheduler at {address} has no workers; start some with: dask worker '
                f'{address} --nworkers 2 --nthreads 1'
            )
        futures = {client.submit(run_job, job, pure=False): job for job in jobs}
        for future in distributed.as_completed(futures, loop=client.loop):
            yield futures[future], _result(future, address)


def _result(future: Any, address: str) -> Outcome:
    try:
        outcome: Outcome = future.result()
    except Exception as error:  # whatever a worker that lacks something may raise
        raise RuntimeError(
            f'a worker of {address} failed ({type(error).__name__}: {error}); each needs '
            'lazy_vos_ros of this version, the files and enough memory. What is finished is kept'
        ) from error
    return outcome


def _distributed() -> Any:
    try:
        import distributed
    except ImportError:
        raise RuntimeError(
            'a Dask cluster needs the package distributed, which is not installed; install it '
            "with: pip install 'lazy_vos_ros[cluster]', or: pip install distributed"
        ) from None
    return distributed


@contextmanager
def _environment_for(jobs: Sequence[Job]) -> Iterator[None]:
    """Let new processes find the number of threads before they load any library."""
    threads = next((job.threads for job in jobs if job.threads is not None), None)
    before = {name: os.environ.get(name) for name in THREAD_VARIABLES}
    if threads is not None:
        os.environ.update(dict.fromkeys(THREAD_VARIABLES, str(threads)))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
