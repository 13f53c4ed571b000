"""`lazy-vos evaluate` on bags of the rosbags library and of the recorder's own writer."""

import csv
import json
import os
import subprocess
import sys
from collections.abc import Callable
from math import nan
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / 'test' / 'evaluation'))

from recordings import STATE  # noqa: E402
from recordings import TYPES  # noqa: E402
from recordings import diagnostics  # noqa: E402
from recordings import labels_of  # noqa: E402
from recordings import object_state  # noqa: E402
from recordings import stamp_of  # noqa: E402
from recordings import tracking_state  # noqa: E402
from recordings import usual_messages  # noqa: E402
from rosbags.rosbag2 import StoragePlugin  # noqa: E402
from rosbags.rosbag2 import Writer  # noqa: E402

from lazy_vos_ros.cli.main import run_command  # noqa: E402
from lazy_vos_ros.evaluation.label_images import write_labels  # noqa: E402

PLUGINS = {'mcap': StoragePlugin.MCAP, 'sqlite3': StoragePlugin.SQLITE3}
Messages = list


def write_bag(folder: Path, messages: Messages, storage: str = 'mcap') -> Path:
    folder.parent.mkdir(parents=True, exist_ok=True)
    with Writer(folder, version=9, storage_plugin=PLUGINS[storage]) as writer:
        kinds = {topic: kind for topic, kind, _, _ in messages}
        connections = {t: writer.add_connection(t, k, typestore=TYPES) for t, k in kinds.items()}
        for topic, kind, now, message in messages:
            writer.write(connections[topic], now, TYPES.serialize_cdr(message, kind))
    return folder


@pytest.fixture
def evaluate(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str, str]]:
    """Run the command; return its exit status and what it printed."""

    def call(*arguments: object, out: str = 'out') -> tuple[int, str, str]:
        status = run_command('evaluate', [*map(str, arguments), '--out', str(tmp_path / out)])
        printed = capsys.readouterr()
        return status, printed.out, printed.err

    return call


def results(tmp_path: Path, out: str = 'out') -> dict:
    def refuse(word: str) -> None:
        raise AssertionError(f'{word} is no JSON')

    return json.loads((tmp_path / out / 'results.json').read_text(), parse_constant=refuse)


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline='') as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize('storage', ['mcap', 'sqlite3'])
def test_bag_without_true_masks_tells_workload_and_health(
    tmp_path: Path, evaluate: Callable[..., tuple[int, str, str]], storage: str
):
    bag = write_bag(tmp_path / 'bag', usual_messages(), storage)
    status, printed, errors = evaluate(bag)
    assert (status, errors) == (0, '')
    assert 'reaction time p50 0.75 s' in ' '.join(printed.split())
    found = results(tmp_path)
    assert found['mean']['NoC'] == 1
    assert 'J' not in found['mean']
    (sequence,) = found['sequences']
    assert sequence['ground truth'] == 'none'
    assert sequence['workload']['reaction']['count'] == 1
    assert sequence['signals']['latency']['p50'] == pytest.approx(80.0)
    assert sequence['settings']['weights'] == 'tiny (random)'
    assert sequence['budget']['questions_per_minute'] is None  # the bag does not tell it
    assert sequence['notes'] == []
    frames = rows(tmp_path / 'out' / 'frames_bag.csv')
    assert len(frames) == 12
    assert frames[3]['stamp_ns'] == str(stamp_of(3))
    assert (frames[3]['object'], frames[3]['uncertainty'], frames[3]['J']) == ('1', '0.25', '')
    events = rows(tmp_path / 'out' / 'events_bag.csv')
    assert [row['kind'] for row in events] == ['added', 'asked', 'pseudo', 'answered']
    assert float(events[3]['reaction']) == pytest.approx(0.75, abs=1e-5)
    assert events[3]['clicks'] == '+6,4'
    page = (tmp_path / 'out' / 'report.html').read_text()
    assert 'bag' in page
    assert str(tmp_path) not in page


def test_true_masks_give_quality_by_object_frame_and_mean(
    tmp_path: Path, evaluate: Callable[..., tuple[int, str, str]]
):
    bag = write_bag(tmp_path / 'bag', usual_messages())
    truth = tmp_path / 'truth'
    truth.mkdir()
    for index in (0, 3, 6):
        write_labels(truth / f'{index:05}.png', np.roll(labels_of(index), 1, axis=1))
    status, printed, _ = evaluate(bag, '--ground-truth', truth)
    assert status == 0
    found = results(tmp_path)
    assert found['mean']['J'] == pytest.approx(0.6)
    (item,) = found['sequences'][0]['objects']
    assert (item['scored frames'], item['true id']) == (2, 1)
    assert set(found['mean']) >= {'J', 'F', 'J&F', 'R@0.1', 'R@0.25', 'R@0.5', 'NoC', 'IDI', 'ACI'}
    frames = rows(tmp_path / 'out' / 'frames_bag.csv')
    assert [row['J'] != '' for row in frames] == [i in (0, 3, 6) for i in range(12)]
    assert '60.0' in printed
    assert 'by image' in printed


def test_recorders_own_bag_is_read(tmp_path: Path, evaluate: Callable[..., tuple[int, str, str]]):
    pytest.importorskip('rclpy')
    from lazy_vos_ros.nodes.bag_writer import BagWriter

    writer = BagWriter(tmp_path / 'own', 'mcap')
    for topic, kind, now, message in usual_messages():
        if topic not in writer.counts:
            writer.add_topic(topic, kind, [])
        writer.write(topic, now, TYPES.serialize_cdr(message, kind).tobytes())
    killed = (tmp_path / 'own').iterdir()  # not closed: as after a power cut
    assert [path.suffix for path in killed] == ['.mcap']
    status, _, errors = evaluate(tmp_path / 'own', out='killed')
    assert status == 1
    assert 'own has no messages' in errors
    writer.close()
    status, printed, _ = evaluate(tmp_path / 'own')
    assert status == 0
    assert 'note:' not in printed
    assert len(rows(tmp_path / 'out' / 'frames_own.csv')) == 12


@pytest.mark.parametrize('storage', ['mcap', 'sqlite3'])
def test_cut_bag_is_evaluated_as_far_as_it_goes(
    tmp_path: Path, evaluate: Callable[..., tuple[int, str, str]], storage: str
):
    bag = write_bag(tmp_path / 'bag', usual_messages(), storage)
    (file,) = [path for path in bag.iterdir() if path.suffix in ('.mcap', '.db3')]
    os.truncate(file, int(0.7 * file.stat().st_size))
    status, printed, _ = evaluate(bag)
    assert status == 0
    assert f'note: {file.name} is not whole' in printed
    assert 'promises' in printed
    assert 0 < results(tmp_path)['sequences'][0]['figures']['frames'] < 12
    assert 'is not whole' in (tmp_path / 'out' / 'report.html').read_text()


def test_several_bags_are_pooled_and_one_that_is_broken_is_told(
    tmp_path: Path, evaluate: Callable[..., tuple[int, str, str]]
):
    bags = [write_bag(tmp_path / day / 'bag', usual_messages()) for day in ('monday', 'tuesday')]
    status, printed, errors = evaluate(*bags)
    assert status == 0
    found = results(tmp_path)
    assert [item['name'] for item in found['sequences']] == ['monday_bag', 'tuesday_bag']
    assert found['mean']['NoC'] == 2
    assert found['mean']['IDI'] == pytest.approx(2 * 2.2 / 4, abs=1e-5)
    assert printed.count('frames processed') == 2
    status, _, errors = evaluate(*bags, tmp_path / 'none')
    assert status == 1
    assert 'none does not exist' in errors
    assert len(results(tmp_path)['sequences']) == 2


def test_two_bags_are_compared_side_by_side(
    tmp_path: Path, evaluate: Callable[..., tuple[int, str, str]]
):
    other = [m for m in usual_messages(8) if m[0] != '/diagnostics']
    told = diagnostics('lazy_vos', weights='other', tau_u='0.7')
    other.append(('/diagnostics', 'diagnostic_msgs/msg/DiagnosticArray', stamp_of(9), told))
    bags = [write_bag(tmp_path / 'a', usual_messages()), write_bag(tmp_path / 'b', other)]
    status, printed, _ = evaluate(*bags, '--compare')
    assert status == 0
    lines = [line.split() for line in printed.splitlines()]
    assert ['frames', 'processed', '12', '8', '-4'] in [
        [word.replace('−', '-') for word in line] for line in lines
    ]
    assert ['tau_u', '0.5', '0.7'] in lines
    status, _, errors = evaluate(bags[0], '--compare')
    assert status == 1
    assert '--compare with 1 bags; allowed: two' in errors


def test_values_that_are_not_finite_are_null_and_empty(
    tmp_path: Path, evaluate: Callable[..., tuple[int, str, str]]
):
    messages = [m for m in usual_messages() if m[1] != STATE]
    for index in range(12):
        states = [object_state(1, uncertainty=nan, derivative=float('inf'))]
        told = tracking_state(index, objects=states, mean_entropy=nan)
        messages.append(('/lazy_vos/tracking_state', STATE, stamp_of(index), told))
    status, printed, _ = evaluate(write_bag(tmp_path / 'bag', messages))
    assert status == 0
    assert 'note: uncertainty is not finite 12 times: left out' in printed
    (sequence,) = results(tmp_path)['sequences']
    assert sequence['signals']['entropy']['mean'] is None
    frame = rows(tmp_path / 'out' / 'frames_bag.csv')[0]
    assert (frame['uncertainty'], frame['derivative'], frame['mean_entropy']) == ('', '', '')


@pytest.mark.parametrize(
    ('arguments', 'words'),
    [
        (('.', '--rerun', 'run.rrd'), '--rerun with 2 bags; allowed: one'),
        (('--objects', '1'), 'without --ground-truth'),
        (('--ground-truth', 'none', '--objects', '1=x'), "--objects is '1=x'; allowed: ID=ID"),
        (('--ground-truth', 'none', '--objects', '1=2,1=3'), 'allowed: each object once'),
        (('--ground-truth', 'none'), 'ground truth none is no folder'),
        (('--ground-truth', '/none'), 'no topic /none; allowed as ground truth'),
        (('--tracker', '/other'), 'has the trackers /lazy_vos; allowed'),
    ],
)
def test_wrong_arguments_are_one_line(
    tmp_path: Path,
    evaluate: Callable[..., tuple[int, str, str]],
    arguments: tuple[str, ...],
    words: str,
):
    bag = write_bag(tmp_path / 'bag', usual_messages(3))
    status, _, errors = evaluate(bag, *arguments)
    assert status == 1
    assert words in errors
    assert len(errors.splitlines()) == 1
    assert not (tmp_path / 'out').exists()


def test_folder_that_holds_something_else_is_not_touched(
    tmp_path: Path, evaluate: Callable[..., tuple[int, str, str]]
):
    bag = write_bag(tmp_path / 'out' / 'bag', usual_messages(3))
    status, _, errors = evaluate(bag)
    assert status == 1
    assert 'out holds bag; allowed: a new or empty folder' in errors
    status, _, errors = evaluate(bag, out='out/bag')
    assert status == 1
    assert sorted(path.name for path in bag.iterdir()) == ['bag.mcap', 'metadata.yaml']


def test_later_evaluation_replaces_an_earlier_one(
    tmp_path: Path, evaluate: Callable[..., tuple[int, str, str]]
):
    evaluate(write_bag(tmp_path / 'a', usual_messages(3)))
    evaluate(write_bag(tmp_path / 'b', usual_messages(3)))
    present = {path.name for path in (tmp_path / 'out').iterdir()}
    assert {'frames_b.csv', 'events_b.csv', 'results.json', 'report.html'} <= present
    assert 'frames_a.csv' not in present


def test_command_works_where_ros_is_not(tmp_path: Path):
    bag = write_bag(tmp_path / 'bag', usual_messages(4))
    blocked = (
        'import sys\n'
        'class NoRos:\n'
        '    def find_spec(self, name, path=None, target=None):\n'
        "        if name.split('.')[0] in ('rclpy', 'lazy_vos_msgs', 'std_msgs'):\n"
        '            raise ImportError(name)\n'
        'sys.meta_path.insert(0, NoRos())\n'
        'from lazy_vos_ros.cli.main import main\n'
        f'sys.exit(main(["evaluate", {str(bag)!r}, "--out", {str(tmp_path / "out")!r}]))\n'
    )
    done = subprocess.run(
        [sys.executable, '-c', blocked],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert 'frames processed                     4' in done.stdout
