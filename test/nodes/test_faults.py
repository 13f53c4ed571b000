"""The faults of docs/reliability.md that are quickly made, in one running tracker; how it ends.

`python -m benchmarks.faults` makes all of them.
"""

import re
import signal
from pathlib import Path

import pytest

from benchmarks.faults import ends
from benchmarks.faults import images
from benchmarks.faults import kills
from benchmarks.faults import networks
from benchmarks.faults import people
from benchmarks.faults import starts
from benchmarks.faults.robot import Robot
from benchmarks.faults.row import HEADER
from benchmarks.faults.row import Row

DOCS = Path(__file__).resolve().parents[2] / 'docs'
QUICK = (
    images.stamps_jump_back,
    images.size_changes,
    images.step_changes,
    images.truncated_data,
    people.operator_slow,
    people.answers_for_removed,
    networks.not_a_number,
    networks.refiner_empty,
    networks.out_of_memory,
    starts.parameters_while_running,
)


@pytest.fixture
def slowness():
    """Return how much longer everything takes on this machine than on one that is idle."""
    return max(ends.slowness() for _ in range(3))


def test_a_day_of_faults_is_survived_and_the_end_is_clean(graph, slowness):
    robot = Robot(graph)
    robot.camera.connect()
    robot.recover()
    columns = HEADER.splitlines()[0].count('|')
    for scenario in QUICK:
        row = scenario(robot)
        assert row.markdown().count('|') == columns
        assert max(row.seconds, default=0.0) < 5.0 * slowness
    graph.processes.remove(robot.tracker)
    ended = ends.end(robot.tracker, (signal.SIGTERM,))
    assert (ended.status, ended.left) == (0, ())
    assert ended.seconds < ends.LIMIT * slowness


def test_a_tracker_that_is_ended_inside_the_network_leaves_nothing(graph, slowness):
    robot = Robot(graph)
    robot.camera.connect()
    robot.recover()
    robot.fail(seconds=600)
    robot.camera.publish()
    robot.until(lambda: 'inside the network' in robot.tracker.output, 'an image is in there')
    graph.processes.remove(robot.tracker)
    ended = ends.end(robot.tracker, ends.SIGNALS['SIGINT twice'])
    ends.check_end('lazy_vos', ended, slowness, robot.tracker.output)


def test_two_signals_end_a_node_as_well_as_one(graph, slowness, tmp_path):
    recorder = graph.start('lazy_vos_ros.nodes.recorder', bag=tmp_path / 'bag')
    ends.wait_until_ready(graph, 'lazy_vos_recorder', recorder)
    graph.processes.remove(recorder)
    ended = ends.end(recorder, ends.SIGNALS['SIGINT twice'])
    assert (ended.status, ended.left) == (0, ())
    assert ended.seconds < ends.LIMIT * slowness
    assert 'Traceback' not in recorder.output


def test_what_a_killed_recorder_loses_is_told_as_it_was_measured():
    measured = (DOCS / 'soak_and_fuzz.md').read_text()
    rows = re.findall(r'^\| (MCAP|SQLite)\b.*\| \**(\d\.\d\d) s\** \|$', measured, re.MULTILINE)
    mcap, sqlite = (
        max(seconds for name, seconds in rows if name == storage) for storage in ('MCAP', 'SQLite')
    )
    words = f'at most {mcap} s (MCAP) or {sqlite} s (SQLite)'
    assert words in kills.LOST['lazy_vos_recorder']
    assert words in (DOCS / 'evaluation.md').read_text()


def test_durations_are_told_in_words():
    assert '| 0.20 s |' in Row('a', 'b', 'c', (0.2,)).markdown()
    assert '0.20 s (median of 3; longest 0.40 s)' in Row('a', 'b', 'c', (0.1, 0.2, 0.4)).markdown()
    assert '| they never stop |' in Row('a', 'b', 'c', ()).markdown()
