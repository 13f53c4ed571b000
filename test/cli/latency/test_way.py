"""The measurement of the way through ROS: its parts, and once as a whole over real DDS."""

import inspect
import mmap
import os

import numpy as np
import pytest

from lazy_vos_ros.cli.environment import prepare_environment
from lazy_vos_ros.cli.latency import camera
from lazy_vos_ros.cli.latency.free_backend import FreeBackend
from lazy_vos_ros.cli.latency.measure import RosCase
from lazy_vos_ros.cli.latency.measure import measure_way
from lazy_vos_ros.cli.latency.table import ros_table
from lazy_vos_ros.cli.latency.usage import usage_of
from lazy_vos_ros.cli.main import main
from lazy_vos_ros.engine.backend import Backend
from lazy_vos_ros.engine.clicks import Click
from lazy_vos_ros.engine.prompts import Prompt
from lazy_vos_ros.engine.refiners.oracle import OracleRefiner
from lazy_vos_ros.engine.tracker import LazyTracker
from lazy_vos_ros.nodes.tracking import warm_up


def test_the_backend_that_costs_nothing_takes_what_every_backend_takes():
    methods = {name: item for name, item in vars(Backend).items() if inspect.isfunction(item)}
    methods = {name: item for name, item in methods.items() if not name.startswith('_')}
    assert {'predict', 'commit'} <= methods.keys()
    for name, method in methods.items():
        wanted = list(inspect.signature(method).parameters)
        assert list(inspect.signature(getattr(FreeBackend, name)).parameters) == wanted, name


def test_the_backend_that_costs_nothing_keeps_what_it_was_given():
    masks = [np.zeros((24, 32), np.bool_) for _ in range(2)]
    masks[0][2:8, 2:8] = True
    masks[1][12:20, 10:30] = True
    tracker = LazyTracker(FreeBackend(), OracleRefiner(lambda frame, item: masks[item - 1]))
    warm_up(tracker)
    image = np.zeros((24, 32, 3), np.uint8)
    tracker.add_objects(image, [Prompt(mask=mask) for mask in masks])
    for _ in range(3):
        result = tracker.step(image)
        assert (result.labels == masks[0] + 2 * masks[1]).all()
        assert result.entropy.max() == 0
    tracker.correct(1, Click(5, 5))
    tracker.remove_object(1)
    assert set(np.unique(tracker.step(image).labels)) == {0, 2}
    assert tracker.step(image[:12]).labels.max() == 0


def test_the_usage_of_a_process_grows():
    before = usage_of(os.getpid())
    # Fresh memory of the kernel; what Python allocates may have been there before.
    with mmap.mmap(-1, 100 * mmap.PAGESIZE) as fresh:
        fresh[:: mmap.PAGESIZE] = bytes(100)
    after = usage_of(os.getpid())
    assert after.seconds >= before.seconds > 0
    assert after.faults > before.faults
    assert usage_of(2**30).seconds == 0


def test_images_go_through_the_real_node(monkeypatch):
    monkeypatch.setattr(camera, 'QUIET', 1.5)
    prepare_environment('test')
    case = RosCase(64, 48, 30.0, 12)
    done = []
    figures = measure_way(case, done.append)
    assert done == list(range(1, 13))
    assert 0 < figures['masks'] <= figures['processed'] <= figures['received'] <= 12
    for name in ('camera_ms', 'step_ms', 'published_ms', 'arrived_ms'):
        assert 0 < figures[name]['p50'] <= figures[name]['p95'], name
    assert figures['cpu_ms'] > 0
    table = ros_table([{'case': case.record(), 'figures': figures}])
    assert table.splitlines()[1].split()[:3] == ['64x48', '30', '12']


def test_a_tracker_that_does_not_start_is_a_row_that_says_so(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv('PYTHONPATH', str(tmp_path))
    (tmp_path / 'torch.py').write_text('raise SystemExit(3)')
    arguments = ['--image', '64x48', '--frames', '1', '--json', str(tmp_path / 'bench.json')]
    assert main(['bench', '--ros', *arguments]) == 1
    assert 'the tracker ended with status 3' in capsys.readouterr().out


@pytest.fixture(autouse=True)
def _on_this_host(monkeypatch):
    monkeypatch.setenv('ROS_AUTOMATIC_DISCOVERY_RANGE', 'LOCALHOST')
