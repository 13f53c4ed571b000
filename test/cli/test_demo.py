import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from time import monotonic
from time import sleep

import moving_disc
import pytest
import torch
from rosbags.rosbag2 import StoragePlugin
from rosbags.rosbag2 import Writer

from lazy_vos_ros.cli import demo
from lazy_vos_ros.cli import demo_graph
from lazy_vos_ros.cli.environment import shared_folder
from lazy_vos_ros.cli.main import run_command
from lazy_vos_ros.cli.processes import Child
from lazy_vos_ros.cli.processes import Graph
from lazy_vos_ros.engine.build import make_backend
from lazy_vos_ros.engine.clicks import Click
from lazy_vos_ros.engine.refiners import make_refiner
from lazy_vos_ros.engine.results import Absent
from lazy_vos_ros.evaluation.bags import read_run
from lazy_vos_ros.evaluation.demo_clip import demo_clip
from lazy_vos_ros.evaluation.operators import RecordedClicks
from lazy_vos_ros.evaluation.sources import open_source

pytest.importorskip('rclpy')

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = float(os.environ.get('LAZY_VOS_TEST_PATIENCE', '240'))
"""Seconds until something that takes a few has failed to happen: machines may be busy."""


def command(*arguments: object) -> list[str]:
    return [sys.executable, '-m', 'lazy_vos_ros.cli', 'demo', *map(str, arguments)]


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return moving_disc.write_frames(tmp_path / 'frames')


@pytest.fixture
def clicks(tmp_path: Path) -> Path:
    """Where the disc is, as a person would have annotated it."""
    rows = [f'[{i}, {x}, {y}]' for i in (0, 11) for x, y in [moving_disc.centre(i)]]
    path = tmp_path / 'clicks.yaml'
    path.write_text(f'fps: 25.0\nobjects:\n  1:\n    centres: [{", ".join(rows)}]\n')
    return path


def children_of(process: int) -> list[int]:
    found = Path(f'/proc/{process}/task/{process}/children').read_text().split()
    return [int(number) for number in found]


def test_a_clip_goes_through_the_graph_and_the_report_comes_from_the_bag(
    tmp_path: Path, clip: Path, clicks: Path
):
    out = tmp_path / 'out'
    # Every frame is above these thresholds, so that a question is certain.
    asking = ('--set', 'trigger=level', '--set', 'tau_u=0.0', '--set', 'tau_p=0.0')
    first = ','.join(map(str, moving_disc.centre(0)))
    arguments = ('--source', clip, '--click', first, '--label', 'disc', '--out', out)
    answering = ('--operator-clicks', clicks, '--reaction', '0.2', '--set', 'xmem.size=128')
    done = subprocess.run(
        command(*arguments, *answering, *asking),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert 'frames processed                    12' in done.stdout
    assert 'recorded, answers after 0.2 s' in done.stdout
    run = read_run(out / 'bag')
    assert run.sent == len(run.frames) == 12
    assert run.settings['trigger'] == 'level'
    results = json.loads((out / 'results.json').read_text())
    figures = results['sequences'][0]['figures']
    assert figures['questions'] >= 1
    assert figures['answers'] >= 1
    assert figures['still_open'] == 0
    assert results['sequences'][0]['objects'][0]['label'] == 'disc'
    assert len(list(open_source(out / 'overlay.mp4'))) == 12
    assert (out / 'timeline.png').stat().st_size > 10_000
    # What is not of a demo is never touched.
    (out / 'precious.txt').touch()
    with pytest.raises(ValueError, match=r'holds precious\.txt; allowed: a new or empty folder'):
        demo.prepare_folder(out, force=True)
    assert (out / 'bag').is_dir()


def test_ctrl_c_ends_all_nodes_and_reports_what_was_recorded(tmp_path: Path):
    out = tmp_path / 'out'
    clip = moving_disc.write_frames(tmp_path / 'long', 200)
    arguments = ('--source', clip, '--click', '50,60', '--set', 'xmem.size=64', '--out', out)
    process = subprocess.Popen(
        command(*arguments),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A shell starts background jobs, such as this test run may be, with Ctrl-C switched off.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    try:
        until(lambda: (out / 'logs' / 'camera.log').exists(), 'the camera starts')
        nodes = children_of(process.pid)
        assert len(nodes) == 3, 'recorder, tracker and camera; nobody answers'
        # The camera sends an image when the last one is processed: of four, three are.
        images = 4 * moving_disc.frame(0).nbytes
        until(lambda: holds(out / 'bag' / 'bag.mcap', images), 'frames are recorded')
        process.send_signal(signal.SIGINT)
        told, problems = process.communicate(timeout=PATIENCE)
    finally:
        process.kill()
    assert process.returncode == 130, told + problems
    assert 'interrupted; all nodes have ended' in told
    assert 0 < len(read_run(out / 'bag').frames) < 200
    assert (out / 'overlay.mp4').exists()
    assert not [number for number in nodes if Path(f'/proc/{number}').exists()]


def test_ctrl_c_before_the_first_frame_is_no_error(
    tmp_path: Path, clip: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    def interrupted(plan: demo.Plan, args: object, out: Path) -> None:
        with Writer(out / 'bag', version=9, storage_plugin=StoragePlugin.MCAP):
            raise KeyboardInterrupt

    monkeypatch.setattr('lazy_vos_ros.cli.demo_graph.play', interrupted)
    monkeypatch.setattr(signal, 'signal', lambda *_: None)
    monkeypatch.setenv('ROS_DOMAIN_ID', '1')
    given = ['--source', str(clip), '--click', '50,60', '--out', str(tmp_path / 'out')]
    assert run_command('demo', given) == 130
    told, problems = capsys.readouterr()
    assert 'interrupted; all nodes have ended\nno report: ' in told
    assert problems == ''


def test_ctrl_c_again_leaves_no_node_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def interrupt(_: Child) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(Child, 'end', interrupt)
    with pytest.raises(KeyboardInterrupt), Graph(tmp_path) as graph:
        nodes = [graph.start('recorder', bag=str(tmp_path / name)) for name in ('a', 'b')]
    until(lambda: all(node.status is not None for node in nodes), 'both nodes end')


def test_a_node_that_dies_is_told_with_its_last_words(tmp_path: Path, clip: Path):
    weights = tmp_path / 'broken.safetensors'
    weights.write_bytes(b'broken')
    arguments = ('--source', clip, '--click', '50,60', '--weights', weights)
    done = subprocess.run(
        command(*arguments, '--out', tmp_path / 'out'),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 1
    assert 'the node tracker_node ended with status 1; it said:' in done.stderr
    assert 'broken.safetensors is no readable file of weights' in done.stderr


def until(condition, what: str) -> None:
    end = monotonic() + PATIENCE
    while not condition():
        assert monotonic() < end, f'{what} within {PATIENCE:g} s'
        sleep(0.05)


def holds(path: Path, size: int) -> bool:
    return path.exists() and path.stat().st_size > size


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (['--source', 'FRAMES'], '--source needs --click X,Y'),
        (['--source', 'FRAMES', '--click', '500,1'], 'click is at (500, 1); allowed: inside'),
        (['--source', 'FRAMES', '--click', 'x'], "--click is 'x'; allowed: X,Y in pixels"),
        (['--source', 'no.mp4', '--click', '1,1'], 'no.mp4 does not exist'),
        (['--start', '3'], '--start needs --source'),
        (['--weights', 'nosuch'], "weights are 'nosuch'; allowed: auto, xmem-s012"),
        (['--weights', 'xmem'], 'fetch them with: lazy-vos weights fetch xmem'),
        (['--set', 'xmem.size=0'], 'size is 0; allowed: -1, or a short side'),
        (['--set', 'tau_p=9'], 'tau_p'),
        (['--operator-clicks', 'no.yaml'], 'no.yaml does not exist'),
        (
            ['--source', 'FRAMES', '--click', '9,9', '--operator', 'recorded'],
            'recorded needs',
        ),
        (['--set', 'tua_u=0.4'], "--set is 'tua_u=0.4'; allowed: NAME=VALUE with tau_u, tau_p"),
        (['--set', 'tau_u=much'], "tau_u is 'much'; allowed: number in [0, inf]"),
    ],
)
def test_wrong_arguments_are_one_line_before_anything_starts(
    tmp_path: Path,
    clip: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    message: str,
):
    given = [str(clip) if item == 'FRAMES' else item for item in arguments]
    assert run_command('demo', [*given, '--out', str(tmp_path / 'out')]) == 1
    told = capsys.readouterr().err
    assert message in told
    assert len(told.strip().splitlines()) == 1
    assert not (tmp_path / 'out').exists()


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (['--rate', '-1'], "--rate: '-1'; allowed: a number from 0"),
        (['--reaction', 'soon'], "--reaction: 'soon'; allowed: a number from 0"),
        (['--frames', '-3'], "--frames: '-3'; allowed: a whole number from 0"),
    ],
)
def test_parser_refuses_what_is_no_value(
    capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
):
    with pytest.raises(SystemExit):
        run_command('demo', arguments)
    assert f'lazy-vos demo: argument {message}' in capsys.readouterr().err


def test_an_earlier_demo_in_a_folder_of_ones_own_is_replaced_by_force_only(
    tmp_path: Path, clip: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr(demo_graph, 'play', lambda plan, args, out: (out / 'bag').mkdir())
    monkeypatch.setattr(demo, 'report', lambda out, args, plan: None)
    given = ['--source', str(clip), '--click', '50,60']
    kept = tmp_path / 'own' / 'bag' / 'bag.mcap'
    mine = [*given, '--out', str(tmp_path / 'own')]
    assert run_command('demo', mine) == 0
    kept.touch()
    assert run_command('demo', mine) == 1
    told = capsys.readouterr().err
    assert 'own is not empty (bag, ...); allowed: an empty or new folder, or --force to' in told
    assert kept.exists()
    assert run_command('demo', [*mine, '--force']) == 0
    assert not kept.exists()
    # The folder that nobody has named is the demo's own.
    monkeypatch.chdir(tmp_path)
    for _ in range(2):
        assert run_command('demo', given) == 0
    assert (tmp_path / 'out' / 'demo' / 'bag').is_dir()


def test_unwritable_folder_is_refused(capsys: pytest.CaptureFixture[str]):
    assert run_command('demo', ['--out', '/proc/demo']) == 1
    assert '--out /proc/demo cannot be written' in capsys.readouterr().err


def test_recorded_clicks_fit_the_clip():
    source = open_source(demo_clip())
    recorded = RecordedClicks.load(shared_folder() / 'config' / 'bikes_clicks.yaml')
    assert recorded.fps == source.fps
    assert source.count == 250
    answers = [recorded.at(index, 1) for index in range(250)]
    for answer in answers:
        if isinstance(answer, Click):
            answer.check_inside(source.size[1], source.size[0])
    present = [isinstance(answer, Click) for answer in answers]
    assert present == [76 <= i < 83 or 103 <= i < 137 for i in range(250)]
    assert all(isinstance(a, Click | Absent) for a in answers)
    assert isinstance(answers[demo.CLIP_START], Click)
    assert demo.CLIP_START + demo.CLIP_FRAMES <= 250


def test_first_click_gives_the_cyclist_and_little_else():
    backend = make_backend()
    refiner = make_refiner(backend=backend)
    image = next(iter(open_source(demo_clip(), start=demo.CLIP_START)))
    with torch.inference_mode():
        frame = backend.predict(image).frame
        mask = refiner.refine(frame, [Click(*demo.CLIP_CLICK)], object_id=1).mask.cpu().numpy()
    box = mask[50:272, 365:525]
    assert box.sum() > 9_000
    assert box.sum() > 0.97 * mask.sum()
