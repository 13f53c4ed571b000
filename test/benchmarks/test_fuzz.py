"""A short run of every door of benchmarks/fuzz.py, and of what it counts as broken."""

import contextlib
import logging
import os
import time

import pytest
import rclpy
from hypothesis import strategies as st

from benchmarks import fuzz
from benchmarks.fuzz_door import Door
from benchmarks.fuzz_settings import running_doors

INPUTS = {
    'bags, MCAP': 10,
    'bags, SQLite': 6,
    "bags' metadata": 3,
    'weights, safetensors': 2,
    'weights of another network': 3,
    'calls of the tracker': 60,
    'files of saved states': 15,
}
"""Of doors behind which more is done than for 50 inputs."""


@pytest.fixture(scope='module', autouse=True)
def silence():
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(before)


def through(door, inputs):
    return fuzz.fuzz(door, inputs, number=3)


@pytest.mark.filterwarnings('ignore')
def test_no_door_breaks(tmp_path):
    found = {d.name: through(d, INPUTS.get(d.name, 50)) for d in fuzz.doors(tmp_path)}
    assert {name: item.crashes for name, item in found.items() if item.crashes} == {}
    assert all(item.inputs for item in found.values())
    # Both ways out of a door are tried.
    for name in (
        'image messages',
        'bags, MCAP',
        'calls of the tracker',
        'parameters at the start',
    ):
        assert 0 < found[name].refused < found[name].inputs, name


def test_no_parameter_breaks_a_running_node(monkeypatch):
    monkeypatch.setenv('ROS_AUTOMATIC_DISCOVERY_RANGE', 'LOCALHOST')
    context = rclpy.Context()
    rclpy.init(context=context, args=[], domain_id=1 + os.getpid() % 100)
    node = rclpy.create_node('fuzzed', context=context)
    try:
        (door,) = running_doors(node)
        assert through(door, 100).crashes == {}
    finally:
        node.destroy_node()
        rclpy.shutdown(context=context)


def test_what_a_door_does_not_name_is_a_crash_with_its_input():
    def enter(number):
        if number > 100:
            raise KeyError(number)
        if number > 10:
            raise ValueError(number)

    found = through(Door('numbers', st.integers(0, 1000), enter), 200)
    assert found.inputs == 200
    assert 0 < found.refused < 200
    what, value = next(iter(found.crashes.items()))
    assert what.startswith('KeyError at ')
    assert int(value) > 100


def test_a_hang_is_a_crash_even_where_all_exceptions_are_expected(monkeypatch):
    monkeypatch.setattr(fuzz, 'LONGEST', 0.05)

    def enter(_):
        with contextlib.suppress(Exception):
            time.sleep(5)

    (crash,) = through(Door('sleep', st.just(0), enter, (Exception,)), 1).crashes
    assert crash.startswith('HangError')
