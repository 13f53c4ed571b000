"""The comparison, with stand-ins for the published code and for the networks."""

import sys
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from lazy_vos_ros.evaluation.speed import official_comparison
from lazy_vos_ros.evaluation.speed.official_comparison import Comparison
from lazy_vos_ros.evaluation.speed.official_comparison import OfficialCode
from lazy_vos_ros.evaluation.speed.official_comparison import compare
from lazy_vos_ros.evaluation.speed.official_comparison import load_official

STATE = {
    'key_proj.key_proj.weight': torch.zeros(64, 1),
    'value_encoder.fuser.block2.conv2.weight': torch.zeros(512, 1),
    'decoder.hidden_update.transform.weight': torch.zeros(192, 1),
}
CHECKOUT = {
    'model/resnet.py': 'model_zoo = load_weights_add_extra_dim = None\n',
    'model/network.py': (
        'from model import resnet\n\n'
        'class XMem:\n'
        '    def __init__(self, config):\n'
        '        resnet.load_weights_add_extra_dim(self, resnet.model_zoo.load_url(""), 2)\n'
    ),
    'inference/inference_core.py': 'from util.tensor_util import InferenceCore\n',
    'util/tensor_util.py': 'class InferenceCore: pass\n',
}


def test_a_checkout_is_imported_and_forgotten(tmp_path):
    for name, text in CHECKOUT.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    before, path = set(sys.modules), list(sys.path)
    code = load_official(tmp_path)
    code.network({})
    assert code.core.__name__ == 'InferenceCore'
    assert set(sys.modules) == before
    assert sys.path == path


def test_another_folder_is_refused(tmp_path):
    with pytest.raises(ValueError, match='a checkout of'):
        load_official(tmp_path)


class Network(nn.Module):
    def load_state_dict(self, state):
        self.loaded = state


def uniform(shape, objects):
    return torch.full((objects + 1, *shape), 1 / (objects + 1))


class Backend:
    """Takes the place of the engine."""

    def __init__(self, network, config, device):
        assert network.loaded is STATE

    def predict(self, image):
        return SimpleNamespace(probabilities=uniform(image.shape[:2], 1))

    def add_objects(self, prediction, masks):
        assert list(masks) == [1]
        return prediction

    def commit(self, prediction):
        pass


class Core:
    """Takes the place of the published code; a pixel of the second frame differs."""

    def __init__(self, network, config):
        assert network.loaded is STATE
        assert (config['key_dim'], config['value_dim'], config['hidden_dim']) == (64, 512, 64)
        self.steps = 0

    def set_all_labels(self, labels):
        assert labels == [1]

    def step(self, image, mask=None, labels=None):
        assert (mask is None) == (self.steps > 0)
        self.steps += 1
        got = uniform(image.shape[1:], 1)
        if self.steps == 2:
            got[:, 0, 0] = torch.tensor([0.25, 0.75])
        return got


def test_outputs_and_times_are_compared(monkeypatch):
    monkeypatch.setattr(official_comparison, 'official_network', Network)
    monkeypatch.setattr(official_comparison, 'XMemBackend', Backend)
    images = [np.zeros((6, 8, 3), np.uint8)] * 5
    frames = []
    code = OfficialCode(lambda config: Network(), Core)
    result = compare(
        code, images, np.ones((1, 6, 8), bool), state=STATE, done=lambda: frames.append(1)
    )
    assert len(frames) == 5
    assert len(result.ours) == len(result.official) == 2
    assert result.largest_difference == 0.25
    assert result.differing_pixels == 1
    assert result.ratio > 0


def test_too_few_images():
    with pytest.raises(ValueError, match='at least 4'):
        compare(OfficialCode(None, None), [None] * 3, np.ones((1, 2, 2), bool), state=STATE)


def test_the_ratio_is_of_frames_a_second():
    result = Comparison((0.5, 0.5), (1.0, 2.0), 0.0, 0, 1, 'fp32', 'cpu', 2)
    assert result.ratio == 3
    assert result.facts()['ours_fps'] == 2
