"""The commands, end to end, with Cutie under the lazy layer."""

import json

import numpy as np
import pytest
import torch
from PIL import Image
from small_cutie import small_sizes

from lazy_vos_ros.cli.main import main
from lazy_vos_ros.engine.cutie import weights

pytestmark = pytest.mark.filterwarnings('ignore::FutureWarning:cutie')

SIZE = (48, 64)
FRAMES = 4


@pytest.fixture
def checkpoint(filled_model, tmp_path, monkeypatch):
    monkeypatch.setattr(weights, 'published_sizes', lambda variant='base': small_sizes())
    path = tmp_path / 'cutie-small-mega.pth'
    torch.save(filled_model.state_dict(), path)
    return path


@pytest.fixture
def dataset(tmp_path, frames):
    """One sequence with two objects, the second of which appears later."""
    folder = tmp_path / 'data'
    for kind in ('JPEGImages', 'Annotations'):
        (folder / kind / 'square').mkdir(parents=True)
    for index, image in enumerate(frames(FRAMES, *SIZE)):
        labels = np.zeros(SIZE, np.uint8)
        labels[8:24, 4 + index : 20 + index] = 3
        if index >= 2:
            labels[30:44, 40:60] = 7
        Image.fromarray(image).save(folder / 'JPEGImages' / 'square' / f'{index:05}.jpg')
        Image.fromarray(labels).save(folder / 'Annotations' / 'square' / f'{index:05}.png')
    return folder


@pytest.mark.parametrize('method', ['cutie', 'lazy'])
def test_benchmark(method, checkpoint, dataset, tmp_path, capsys):
    arguments = ['--dataset', dataset, '--backend', 'cutie', '--weights', checkpoint]
    arguments += ['--method', method, '--refiner', 'oracle', '--out', tmp_path / 'out']
    arguments += ['--device', 'cpu']
    assert main(['benchmark', *map(str, arguments)]) == 0
    printed = capsys.readouterr().out
    assert f'method {method}' in printed
    assert checkpoint.name in printed
    results = json.loads((tmp_path / 'out' / 'results.json').read_text())
    assert 'cutie' in json.dumps(results)
    assert 'NaN' not in json.dumps(results)


def test_track(checkpoint, dataset, tmp_path):
    images = dataset / 'JPEGImages' / 'square'
    first = dataset / 'Annotations' / 'square' / '00000.png'
    arguments = [images, '--mask', first, '--weights', checkpoint, '--device', 'cpu']
    arguments += ['--no-overlay', '--out', tmp_path / 'out']
    assert main(['track', *map(str, arguments)]) == 0
    results = json.loads((tmp_path / 'out' / 'results.json').read_text())
    assert f'Cutie ({checkpoint.name}, SHA-256 ' in json.dumps(results)
    assert len(list((tmp_path / 'out' / 'masks').glob('*.png'))) == FRAMES
