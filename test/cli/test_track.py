import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import moving_disc
import numpy as np
import pytest
from PIL import Image as Pillow

from lazy_vos_ros.cli.main import run_command
from lazy_vos_ros.evaluation.label_images import read_entropy
from lazy_vos_ros.evaluation.label_images import read_labels
from lazy_vos_ros.evaluation.label_images import write_labels
from lazy_vos_ros.evaluation.metrics import jaccard
from lazy_vos_ros.evaluation.sources import open_source

ROOT = Path(__file__).resolve().parents[2]
Track = Callable[..., int]


@pytest.fixture
def frames(tmp_path: Path) -> Path:
    return moving_disc.write_frames(tmp_path / 'frames')


@pytest.fixture
def track(tmp_path: Path, frames: Path) -> Track:
    """Run `lazy-vos track` in this process; its folder is tmp_path/out."""

    def call(*arguments: str, source: object = frames) -> int:
        out = () if '--out' in arguments else ('--out', str(tmp_path / 'out'))
        return run_command('track', [str(source), *arguments, *out])

    return call


def test_clicked_disc_is_followed_end_to_end_without_ros(tmp_path: Path, frames: Path):
    x, y = moving_disc.centre(0)
    blocked = 'import sys; sys.modules["rclpy"] = None; '
    command = 'from lazy_vos_ros.cli.main import main; sys.exit(main(sys.argv[1:]))'
    out = tmp_path / 'deep' / 'out'
    arguments = ['--click', f'{x},{y}', '--out', str(out), '--size', '128']
    done = subprocess.run(
        [sys.executable, '-c', blocked + command, 'track', str(frames), *arguments],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, 'OMP_NUM_THREADS': '1'},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert 'tracker: ' in done.stdout
    assert 'frames processed                    12' in done.stdout
    masks = sorted((out / 'masks').iterdir())
    assert [path.name for path in masks] == [f'{i:05d}.png' for i in range(12)]
    ious = [jaccard(moving_disc.mask(i), read_labels(p) == 1) for i, p in enumerate(masks)]
    assert min(ious) > 0.7
    assert len(list(open_source(out / 'overlay.mp4'))) == 12
    states = [json.loads(line) for line in (out / 'states.jsonl').read_text().splitlines()]
    assert [state['frame'] for state in states] == [path.stem for path in masks]
    for state, path in zip(states, masks, strict=True):
        (one,) = state['objects']
        assert one['area'] == np.count_nonzero(read_labels(path))
        entropy = read_entropy(out / 'entropy' / path.name)
        assert entropy.mean() == pytest.approx(state['mean_entropy'], abs=1e-4)
    events = [json.loads(line) for line in (out / 'events.jsonl').read_text().splitlines()]
    assert events[0]['kind'] == 'added'
    assert events[0]['clicks'] == [[x, y, True]]
    results = json.loads((out / 'results.json').read_text())
    assert results['sequences'][0]['figures']['frames'] == 12
    assert results['mean']['NoC'] == 0
    assert 'XMem' in results['backend']
    assert cv2.imread(str(out / 'timeline.png')) is not None


def test_two_objects_of_a_mask_file_keep_their_numbers(tmp_path: Path, track: Track, frames: Path):
    labels = np.where(moving_disc.mask(0), 4, 0).astype(np.uint8)
    labels[100:120, 150:180] = 9
    write_labels(tmp_path / 'first.png', labels)
    assert track('--mask', str(tmp_path / 'first.png'), '--frames', '3', '--no-overlay') == 0
    first = read_labels(tmp_path / 'out' / 'masks' / '00000.png')
    assert np.array_equal(first, labels)
    with Pillow.open(tmp_path / 'out' / 'masks' / '00002.png') as last:
        assert last.mode == 'P'
        assert set(np.unique(np.array(last))) <= {0, 4, 9}
    assert not (tmp_path / 'out' / 'overlay.mp4').exists()


def refuses(track: Track, capsys: pytest.CaptureFixture[str], *arguments: str, **where) -> str:
    assert track(*arguments, **where) == 1
    return capsys.readouterr().err


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (['--click', '500,20'], '--click: click is at (500, 20); allowed: inside the image'),
        (['--click', '12'], "click is '12'; allowed: X,Y in pixels"),
        (['--click', 'nan,3'], "click is 'nan,3'; allowed: X,Y"),
        (['--mask', 'nowhere.png'], 'nowhere.png is no label image that can be read'),
        (['--click', '50,60', '--profile', 'fast'], "profile is 'fast'; allowed: paper, code"),
        (['--click', '50,60', '--weights', 'huge'], "weights are 'huge'; allowed: "),
        (['--click', '50,60', '--operator-clicks', 'no.yaml'], 'no.yaml does not exist'),
        (['--click', '50,60', '--start', '99'], 'has 12 images; allowed: start below that'),
    ],
)
def test_wrong_arguments_are_one_clear_line_before_any_work(
    tmp_path: Path,
    track: Track,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    message: str,
):
    told = refuses(track, capsys, *arguments)
    assert message in told
    assert len(told.strip().splitlines()) == 1
    assert not (tmp_path / 'out').exists()


def test_mask_that_does_not_fit_is_refused(
    tmp_path: Path, track: Track, capsys: pytest.CaptureFixture[str]
):
    path = tmp_path / 'first.png'
    write_labels(path, np.ones((10, 10), np.uint8))
    told = refuses(track, capsys, '--mask', str(path))
    assert 'has a mask of shape (10, 10); allowed: that of the image, (128, 192)' in told
    write_labels(path, np.zeros((128, 192), np.uint8))
    assert 'first.png is empty' in refuses(track, capsys, '--mask', str(path))
    cv2.imwrite(str(path), np.ones((128, 192, 3), np.uint8))
    assert 'pixels of kind RGB; allowed: an indexed' in refuses(track, capsys, '--mask', str(path))


def test_source_that_cannot_be_read_is_refused(
    tmp_path: Path, track: Track, capsys: pytest.CaptureFixture[str]
):
    (tmp_path / 'clip.mp4').write_bytes(b'no video' * 100)
    click = ('--click', '5,5')
    told = refuses(track, capsys, *click, source=tmp_path / 'clip.mp4')
    assert 'clip.mp4 is no video that can be read' in told
    assert '0 is a webcam' in refuses(track, capsys, *click, source=0)


def test_folder_with_something_in_it_is_left_alone(
    tmp_path: Path, track: Track, capsys: pytest.CaptureFixture[str]
):
    out = tmp_path / 'out'
    out.mkdir()
    (out / 'precious.txt').write_text('mine')
    told = refuses(track, capsys, '--click', '50,60')
    assert 'out is not empty (precious.txt, ...)' in told
    assert [item.name for item in out.iterdir()] == ['precious.txt']


def test_force_replaces_earlier_results_only(tmp_path: Path, track: Track):
    out = tmp_path / 'out'
    (out / 'masks').mkdir(parents=True)
    (out / 'masks' / '99999.png').touch()
    (out / 'precious.txt').write_text('mine')
    assert track('--click', '50,60', '--force', '--frames', '2', '--no-overlay') == 0
    assert sorted(item.name for item in (out / 'masks').iterdir()) == ['00000.png', '00001.png']
    assert (out / 'precious.txt').read_text() == 'mine'


def test_failing_weights_keep_earlier_results(
    tmp_path: Path, track: Track, capsys: pytest.CaptureFixture[str]
):
    (tmp_path / 'out' / 'masks').mkdir(parents=True)
    (tmp_path / 'broken.safetensors').write_bytes(b'broken')
    weights = str(tmp_path / 'broken.safetensors')
    told = refuses(track, capsys, '--click', '50,60', '--force', '--weights', weights)
    assert 'broken.safetensors is no readable file of weights' in told
    assert (tmp_path / 'out' / 'masks').is_dir()


def test_file_or_unwritable_place_as_out_is_refused(
    tmp_path: Path, track: Track, capsys: pytest.CaptureFixture[str]
):
    (tmp_path / 'file').touch()
    told = refuses(track, capsys, '--click', '50,60', '--out', str(tmp_path / 'file'))
    assert 'file is a file; allowed: a folder' in told
    told = refuses(track, capsys, '--click', '50,60', '--out', '/proc/lazy_vos')
    assert '/proc/lazy_vos' in told


def test_damage_in_the_middle_keeps_what_came_before(
    tmp_path: Path, track: Track, frames: Path, capsys: pytest.CaptureFixture[str]
):
    (frames / '00003.png').write_bytes(b'\x89PNG broken')
    assert track('--click', '50,60', '--no-overlay') == 1
    told = capsys.readouterr()
    assert '00003.png (11 bytes) is no image' in told.err
    assert 'results of 3 frames are in' in told.out
    out = tmp_path / 'out'
    assert len(list((out / 'masks').iterdir())) == 3
    assert len((out / 'states.jsonl').read_text().splitlines()) == 3
    assert (
        json.loads((out / 'results.json').read_text())['sequences'][0]['objects'][0]['frames'] == 3
    )
