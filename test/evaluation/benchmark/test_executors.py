"""The same job here, in processes and on a Dask cluster: the same numbers."""

import builtins
import pickle
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import painted
import pytest

from lazy_vos_ros.evaluation.benchmark import executors
from lazy_vos_ros.evaluation.benchmark.datasets import open_dataset
from lazy_vos_ros.evaluation.benchmark.executors import executor_for
from lazy_vos_ros.evaluation.benchmark.executors import run_on_dask
from lazy_vos_ros.evaluation.benchmark.executors import threads_per_job
from lazy_vos_ros.evaluation.benchmark.jobs import Failure
from lazy_vos_ros.evaluation.benchmark.jobs import Job
from lazy_vos_ros.evaluation.benchmark.jobs import run_job
from lazy_vos_ros.evaluation.benchmark.networks import with_sha256


@pytest.fixture
def jobs(tmp_path: Path, settings: Callable) -> list[Job]:
    """Three short sequences for the model in `weights/`, one of them damaged."""
    root = painted.write_folders(
        tmp_path / 'data', {name: painted.moving_box(3) for name in 'abc'}
    )
    (root / 'c' / 'JPEGImages' / '00001.png').write_bytes(b'broken')
    config = with_sha256(settings('lazy', lazy={'tau_u': 0.02, 'tau_p': 0.01}, device='cpu'))
    return [Job(files, config, threads=1) for files in open_dataset(root).sequences]


def outcomes(done) -> dict:
    """What came of each job, without the time that it took."""
    return {
        job.files.name: outcome if isinstance(outcome, Failure) else replace(outcome, seconds=0.0)
        for job, outcome in done
    }


@pytest.fixture
def here(jobs: list[Job]) -> dict:
    return outcomes(executor_for()(jobs))


def test_processes_give_the_same_numbers(jobs: list[Job], here: dict):
    assert outcomes(executor_for(workers=2)(jobs)) == here
    assert len(here['a'].objects[0].j) == 3
    assert isinstance(here['c'], Failure)
    assert '00001.png is no image' in here['c'].reason


def test_dask_gives_the_same_numbers(jobs: list[Job], here: dict, monkeypatch: pytest.MonkeyPatch):
    distributed = pytest.importorskip('distributed')
    with distributed.LocalCluster(
        n_workers=0,
        threads_per_worker=1,
        processes=False,  # two workers in threads of this process: only their start is faster
        protocol='tcp://',
        dashboard_address=None,
    ) as cluster:
        execute = executor_for(dask=cluster.scheduler_address)
        with pytest.raises(RuntimeError, match='has no workers; start some with: dask worker'):
            list(execute(jobs))
        cluster.scale(2)
        with distributed.Client(cluster, set_as_default=False) as client:
            client.wait_for_workers(2, timeout=60)
        assert outcomes(execute(jobs)) == here
        monkeypatch.setattr(executors, 'run_job', lambda job: {}['lost'])
        with pytest.raises(RuntimeError, match=r"a worker of .* failed \(KeyError: 'lost'\)"):
            list(execute(jobs))


def test_job_is_small_and_can_be_sent(jobs: list[Job]):
    sent = pickle.dumps(jobs[0])
    assert pickle.loads(sent) == jobs[0]
    assert len(sent) < 5000


def test_other_weights_than_where_it_was_started_are_a_failure(jobs: list[Job]):
    other = replace(jobs[0].settings, sha256={'compact_tracker.safetensors': '0' * 64})
    outcome = run_job(replace(jobs[0], settings=other))
    assert isinstance(outcome, Failure)
    assert 'compact_tracker.safetensors have SHA-256' in outcome.reason


def test_weights_that_are_absent_are_a_failure(jobs: list[Job], monkeypatch, tmp_path: Path):
    other = replace(jobs[0].settings, weights='xmem-s012', sha256={})
    outcome = run_job(replace(jobs[0], settings=other))
    assert isinstance(outcome, Failure)
    assert 'lazy-vos weights fetch xmem-s012' in outcome.reason


def test_absent_package_is_told(jobs: list[Job], monkeypatch: pytest.MonkeyPatch):
    original = builtins.__import__

    def without_dask(name, *args, **kwargs):
        if name == 'distributed':
            raise ImportError(name)
        return original(name, *args, **kwargs)

    monkeypatch.setattr(builtins, '__import__', without_dask)
    with pytest.raises(RuntimeError, match=r"pip install 'lazy_vos_ros\[cluster\]'"):
        list(run_on_dask(jobs, address='tcp://127.0.0.1:1'))


def test_absent_scheduler_is_told(jobs: list[Job], monkeypatch: pytest.MonkeyPatch):
    pytest.importorskip('distributed')
    monkeypatch.setattr(executors, 'DASK_TIMEOUT', 0.5)
    for address in ('tcp://127.0.0.1:1', 'nonsense'):
        with pytest.raises(RuntimeError, match=f'no Dask scheduler answers at {address}'):
            list(run_on_dask(jobs, address=address))


def test_choice_of_executor():
    for wrong in ({'workers': 0}, {'workers': 2, 'dask': 'tcp://127.0.0.1:1'}):
        with pytest.raises(ValueError, match='allowed: at least 1 worker, and not both'):
            executor_for(**wrong)


def test_threads_are_divided(monkeypatch: pytest.MonkeyPatch):
    import os

    monkeypatch.setattr(os, 'sched_getaffinity', lambda pid: set(range(8)), raising=False)
    assert [threads_per_job(workers) for workers in (1, 2, 3, 8, 20)] == [8, 4, 2, 1, 1]
