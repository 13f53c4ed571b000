import sys
from types import SimpleNamespace

import pytest
import torch

from lazy_vos_ros.evaluation.speed import official_rows
from lazy_vos_ros.evaluation.speed.official_rows import OfficialCase
from lazy_vos_ros.evaluation.speed.official_rows import measure_beside
from lazy_vos_ros.evaluation.speed.official_rows import official_table
from lazy_vos_ros.evaluation.speed.official_rows import state_of

CASE = OfficialCase('folder', 'official-random', 64, 48, 2, 'fp32', 'cpu', 1, 5)


def test_weights_of_another_layout_are_refused():
    with pytest.raises(ValueError, match='of the network compact; allowed beside the published'):
        state_of('compact')


def test_a_folder_without_the_code_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r'has no inference/inference_core\.py; allowed'):
        measure_beside(OfficialCase(**{**CASE.record(), 'folder': str(tmp_path)}))


def test_both_get_the_same_frames_and_objects_and_the_row_tells_the_ratio(monkeypatch):
    given = {}

    def compare(code, images, masks, *, state, device, precision, done):
        given.update(code=code, images=images, masks=masks)
        for _ in images:
            done()
        facts = {
            'ours_fps': 3.0,
            'official_fps': 1.5,
            'ratio': 2.0,
            'largest_difference': 4e-6,
            'differing_pixels': 1,
        }
        return SimpleNamespace(facts=lambda: facts)

    monkeypatch.setattr(official_rows, 'load_official', lambda folder: str(folder))
    monkeypatch.setattr(official_rows, 'compare', compare)
    monkeypatch.setattr(official_rows, 'state_of', lambda weights: {})
    seen = []
    threads = torch.get_num_threads()
    figures = measure_beside(CASE, seen.append)
    torch.set_num_threads(threads)
    assert seen == [1, 2, 3, 4, 5]
    assert given['code'] == 'folder'
    assert given['masks'].shape == (2, 48, 64)
    assert given['masks'].any(axis=(1, 2)).all()
    assert {image.shape for image in given['images']} == {(48, 64, 3)}
    row = {'case': CASE.record(), 'figures': figures}
    table = official_table([row, {'case': CASE.record(), 'error': 'no memory left'}])
    cells = ['official-random', '64x48', 'fp32', '2', '3.00', '1.50', '2.00', '4.0e-06', '1']
    assert table.splitlines()[1].split() == cells
    assert table.splitlines()[2] == 'official-random fp32: no memory left'
    assert 'inference.inference_core' not in sys.modules
