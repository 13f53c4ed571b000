"""`lazy-vos study uncertainty` on a small data set made on the spot, with the real tracker."""

import csv
import json
import shutil
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import cv2
import moving_disc
import numpy as np
import pytest

from lazy_vos_ros.cli.main import main
from lazy_vos_ros.evaluation.label_images import write_labels

FRAMES = 8
SMALL = ['--size', '48', '--passes', '2', '--dilations', '0.05,0.5']


@pytest.fixture(scope='module')
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One clip with a moving disc and a second object from frame 2 on, which leaves in frame 6."""
    folder = tmp_path_factory.mktemp('data')
    images = moving_disc.write_frames(folder / 'clip' / 'JPEGImages', FRAMES)
    (folder / 'clip' / 'Annotations').mkdir()
    for index in range(FRAMES):
        labels = moving_disc.mask(index).astype(np.uint8)
        if 2 <= index < 6:
            labels[100:120, 10:40] = 2
        write_labels(folder / 'clip' / 'Annotations' / f'{index:05d}.png', labels)
        path = images / f'{index:05d}.png'
        picture = cv2.imread(str(path))
        picture[labels == 2] = (30, 180, 40)
        cv2.imwrite(str(path), picture)
    return folder


def study(dataset: Path, out: Path, *more: str) -> int:
    return main(['study', 'uncertainty', '--dataset', str(dataset), '--out', str(out), *more])


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline='') as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope='module')
def result(dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp('study') / 'out'
    assert study(dataset, out, *SMALL, '--weights', 'compact', 'compact') == 0
    return out


def test_every_committee_and_measure_has_its_numbers(result: Path):
    summary = rows(result / 'summary.csv')
    measures = {(row['committee'], row['measure'], row['dilation']) for row in summary}
    near = {('S_R', '0.05'), ('S_R', '0.5')}
    assert measures == {
        *(('single', *one) for one in {('S', ''), *near}),
        *(
            (name, *one)
            for name in ('ensemble', 'dropout')
            for one in {('S', ''), *near, ('V', ''), ('V_R', '0.05'), ('V_R', '0.5')}
        ),
    }
    assert all(int(row['objects']) + int(row['excluded']) == 2 for row in summary)


def test_first_frames_of_objects_are_not_compared(result: Path):
    frames = rows(result / 'frames.csv')
    single = [row for row in frames if row['committee'] == 'single']
    assert [int(row['frame']) for row in single if row['object'] == '1'] == list(range(1, 8))
    assert [int(row['frame']) for row in single if row['object'] == '2'] == list(range(3, 8))
    assert [row['present'] for row in single if row['object'] == '2'] == ['1'] * 3 + ['0'] * 2
    assert all(0 <= float(row['iou']) <= 1 for row in frames)
    assert np.mean([float(row['iou']) for row in single if row['object'] == '1']) > 0.5


def test_object_with_too_few_frames_is_counted_and_named(result: Path):
    short = [row for row in rows(result / 'correlations.csv') if row['object'] == '2']
    assert {row['excluded'] for row in short} == {'too few frames'}
    assert {row['frames'] for row in short} == {'3'}


def test_ensemble_of_twins_is_never_at_odds(result: Path):
    """The same weights twice: V is 0 in every frame, a constant, and left out as such."""
    frames = [row for row in rows(result / 'frames.csv') if row['committee'] == 'ensemble']
    assert all(float(row['V']) == float(row['V_R@0.5']) == 0 for row in frames)
    single = [row for row in rows(result / 'frames.csv') if row['committee'] == 'single']
    assert [row['S'] for row in frames] == [row['S'] for row in single]
    excluded = {
        row['excluded']
        for row in rows(result / 'correlations.csv')
        if (row['committee'], row['measure'], row['object']) == ('ensemble', 'V', '1')
    }
    assert excluded == {'constant measure'}


def test_dropout_disagrees_with_itself(result: Path):
    frames = [row for row in rows(result / 'frames.csv') if row['committee'] == 'dropout']
    assert all(float(row['V']) > 0 for row in frames)


def test_figures_can_be_opened(result: Path):
    for name in ('measures', 'dilations'):
        picture = cv2.imread(str(result / f'{name}.png'))
        assert picture.shape[0] > 300
        assert len(np.unique(picture.reshape(-1, 3), axis=0)) > 50
        root = ElementTree.parse(result / f'{name}.svg').getroot()
        assert root.tag.endswith('svg')
    record = json.loads((result / 'study.json').read_text())
    assert 'compact_tracker.safetensors' in record['committees']['single']
    assert record['dilations'] == [0.05, 0.5]
    assert (record['size'], record['passes'], record['sequences']) == (48, 2, ['clip'])
    assert [item['file'] for item in record['weights']] == ['compact_tracker.safetensors'] * 2
    assert len(record['weights'][0]['sha256']) == 64


def test_repeats_its_numbers(dataset: Path, result: Path, tmp_path: Path, capsys):
    out = tmp_path / 'again'
    assert study(dataset, out, *SMALL, '--weights', 'compact', 'compact') == 0
    for name in ('frames.csv', 'correlations.csv', 'summary.csv', 'measures.svg'):
        assert (out / name).read_bytes() == (result / name).read_bytes(), name
    printed = capsys.readouterr().out
    assert 'clip object 2: too few frames (all measures)' in printed
    assert 'single    S_R@0.05' in printed


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (['--epistemic', 'guess'], "'guess'; allowed: variance, mutual-information"),
        (['--dilations', '2'], 'allowed: one or more different numbers, 0 to 1'),
        (['--passes', '1'], 'passes are 1; allowed: at least 2'),
        (['--weights', 'none-such'], 'none-such'),
        (['--sequences', 'none-such'], 'none-such'),
    ],
)
def test_wrong_arguments_end_before_any_work(
    dataset: Path, tmp_path: Path, capsys, arguments: list[str], message: str
):
    out = tmp_path / 'out'
    assert study(dataset, out, *arguments) == 1
    assert message in capsys.readouterr().err
    assert not out.exists()


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (['--dilations', '0.05;0.5'], "--dilations: '0.05;0.5'; allowed: numbers from 0"),
        (['--dropout', '1'], "--dropout: '1'; allowed: a number above 0 below 1"),
        (['--frames', '1'], "--frames: '1'; allowed: a whole number from 2"),
        (['--size', '0'], "--size: '0'; allowed: a short side"),
    ],
)
def test_parser_refuses_what_is_no_value(
    dataset: Path, tmp_path: Path, capsys, arguments: list[str], message: str
):
    with pytest.raises(SystemExit):
        study(dataset, tmp_path / 'out', *arguments)
    assert f'lazy-vos study uncertainty: argument {message}' in capsys.readouterr().err


def test_dataset_without_any_later_annotation_is_refused(dataset: Path, tmp_path: Path, capsys):
    single = tmp_path / 'data'
    moving_disc.write_frames(single / 'clip' / 'JPEGImages', 3)
    (single / 'clip' / 'Annotations').mkdir()
    write_labels(single / 'clip' / 'Annotations' / '00000.png', moving_disc.mask(0).astype('u1'))
    assert study(single, tmp_path / 'out', *SMALL) == 1
    assert 'no annotated frame follows' in capsys.readouterr().err
    assert study(tmp_path / 'none', tmp_path / 'out', *SMALL) == 1
    assert 'does not exist' in capsys.readouterr().err


def test_data_set_whose_labels_are_one_object(dataset: Path, tmp_path: Path):
    davis = tmp_path / 'davis'
    for folder in ('JPEGImages', 'Annotations'):
        shutil.copytree(dataset / 'clip' / folder, davis / folder / '480p' / 'clip')
    (davis / 'ImageSets' / '2016').mkdir(parents=True)
    (davis / 'ImageSets' / '2016' / 'val.txt').write_text('clip\n')
    arguments = ['--size', '48', '--passes', '0', '--layout', 'davis2016', '--dilations', '0.05']
    assert study(davis, tmp_path / 'out', *arguments) == 0
    frames = rows(tmp_path / 'out' / 'frames.csv')
    assert [(row['frame'], row['object']) for row in frames] == [
        (str(index), '1') for index in range(1, FRAMES)
    ]
