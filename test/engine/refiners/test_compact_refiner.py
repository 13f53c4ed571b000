"""The compact refiner: where clicks land, how features are shared, what is refused."""

import numpy as np
import pytest
import torch

from lazy_vos_ros.engine.clicks import Click
from lazy_vos_ros.engine.refiners import compact
from lazy_vos_ros.engine.refiners.click_network import ClickConfig
from lazy_vos_ros.engine.refiners.click_network import click_maps
from lazy_vos_ros.engine.refiners.click_network import similarity_maps
from lazy_vos_ros.engine.refiners.compact import CompactRefiner
from lazy_vos_ros.engine.refiners.compact import RefinerModel
from lazy_vos_ros.engine.refiners.compact import load_refiner_model
from lazy_vos_ros.engine.refiners.compact import save_refiner
from lazy_vos_ros.engine.xmem.backend import XMemBackend
from lazy_vos_ros.engine.xmem.compact import CompactConfig
from lazy_vos_ros.engine.xmem.compact import compact_network
from lazy_vos_ros.engine.xmem.config import XMemConfig

SIZES = ClickConfig(coarse=16, middle=8, fine=8, match=4)


@pytest.fixture
def model():
    torch.manual_seed(0)
    return RefinerModel(SIZES)


@pytest.fixture
def backend(model):
    network = compact_network(CompactConfig(key=8, learnt=8, state=4, coarse=16, middle=8, fine=8))
    network.key_encoder.load_state_dict(model.trunk.state_dict())
    return XMemBackend(network, XMemConfig(size=64))


@pytest.fixture
def image():
    return np.random.default_rng(0).integers(0, 255, (96, 130, 3), np.uint8)


def frame_of(backend, image):
    prediction = backend.predict(image)
    backend.commit(prediction)
    return prediction.frame


def test_mask_and_score(model, backend, image):
    refiner = CompactRefiner(model, backend)
    clicks = [Click(60, 40), Click(3, 4, positive=False)]
    result = refiner.refine(frame_of(backend, image), clicks, object_id=1)
    assert result.mask.shape == (96, 130)
    assert result.mask.dtype == torch.bool
    assert 0 <= result.score <= 1


def test_the_prior_and_further_clicks_count(model, backend, image):
    """Each input reaches the network: without it the logits differ."""
    refiner = CompactRefiner(model, backend)
    frame = frame_of(backend, image)
    scores = [
        refiner.refine(frame, clicks, object_id=1, prior=prior).score
        for clicks, prior in (
            ([Click(60, 40)], None),
            ([Click(10, 80)], None),
            ([Click(60, 40)], torch.ones(96, 130)),
            ([Click(60, 40), Click(10, 80, positive=False)], None),
        )
    ]
    assert len(set(scores)) == 4


def test_features_are_shared_only_with_the_same_trunk(model, backend, image, monkeypatch):
    refiner = CompactRefiner(model, backend)
    assert refiner.shares_features
    monkeypatch.setattr(model.trunk, 'forward', None)
    refiner.refine(frame_of(backend, image), [Click(60, 40)], object_id=1)
    torch.manual_seed(1)
    assert not CompactRefiner(RefinerModel(SIZES), backend).shares_features


def test_own_features_are_computed_once_a_frame(backend, image, monkeypatch):
    torch.manual_seed(1)
    other = RefinerModel(SIZES)
    refiner = CompactRefiner(other, backend)
    shapes = []
    forward = other.trunk.forward
    monkeypatch.setattr(
        other.trunk, 'forward', lambda maps: shapes.append(maps.shape) or forward(maps)
    )
    frame = frame_of(backend, image)
    refiner.refine(frame, [Click(60, 40)], object_id=1)
    whole = shapes[0]
    refiner.refine(frame, [Click(60, 40), Click(5, 5)], object_id=1)
    assert shapes.count(whole) == 1
    refiner.refine(frame_of(backend, image), [Click(60, 40)], object_id=1)
    assert shapes.count(whole) == 2


def test_small_object_is_refined_in_a_window_of_its_own(model, backend, image, monkeypatch):
    refiner = CompactRefiner(model, backend)
    shapes = []
    forward = model.trunk.forward
    monkeypatch.setattr(
        model.trunk, 'forward', lambda maps: shapes.append(maps.shape) or forward(maps)
    )
    frame = frame_of(backend, image)
    height, width = image.shape[:2]
    large = torch.ones(height, width)
    refiner.refine(frame, [Click(60, 40)], object_id=1, prior=large)
    seen = len(shapes)
    small = torch.zeros(height, width)
    small[36:46, 54:66] = 1.0
    mask = refiner.refine(frame, [Click(60, 40)], object_id=1, prior=small).mask
    assert len(shapes) == seen + 1
    assert min(shapes[-1][-2:]) >= 256
    outside = mask.clone()
    outside[20:60, 40:80] = False
    assert not outside.any()


def two_boxes():
    """Logits of a network that found what was clicked on, and something like it elsewhere."""
    logits = torch.full((96, 130), -4.0)
    logits[20:80, 10:70] = 4.0
    logits[5:90, 100:125] = 4.0
    return logits


@pytest.fixture
def finds_two(model, backend, monkeypatch):
    monkeypatch.setattr(CompactRefiner, '_predict', lambda *_: (two_boxes(), 0.5))
    monkeypatch.setattr(compact, '_enlarges', lambda *_: False)
    return CompactRefiner(model, backend)


@pytest.mark.parametrize('prior', [None, torch.zeros(96, 130)])
def test_where_nothing_was_seen_only_the_clicked_part_is_taken(finds_two, backend, image, prior):
    frame = frame_of(backend, image)
    mask = finds_two.refine(frame, [Click(40, 40)], object_id=1, prior=prior).mask
    assert mask[20:80, 10:70].all()
    assert not mask[:, 90:].any()


def test_a_click_on_a_tracked_object_changes_only_what_it_is_about(finds_two, backend, image):
    prior = torch.zeros(96, 130)
    prior[20:60, 10:70] = 1.0
    prior[84:90, 10:20] = 1.0  # not in the refined mask, and not clicked on
    frame = frame_of(backend, image)
    mask = finds_two.refine(frame, [Click(40, 70)], object_id=1, prior=prior).mask
    expected = prior > 0.5
    expected[60:80, 10:70] = True
    assert mask.equal(expected)


@pytest.mark.parametrize('prior', [None, torch.zeros(96, 130)])
def test_where_nothing_was_seen_the_window_is_around_all_that_was_found(
    finds_two, backend, image, monkeypatch, prior
):
    windows = []
    original = compact.window_around
    monkeypatch.setattr(
        compact, 'window_around', lambda *args: windows.append(original(*args)) or windows[-1]
    )
    finds_two.refine(frame_of(backend, image), [Click(40, 40)], object_id=1, prior=prior)
    assert windows == [original(two_boxes() > 0, [Click(40, 40)])]


def test_bad_clicks_are_refused(model, backend, image):
    refiner = CompactRefiner(model, backend)
    frame = frame_of(backend, image)
    with pytest.raises(ValueError, match='no click'):
        refiner.refine(frame, [], object_id=1)
    with pytest.raises(ValueError, match='inside the image'):
        refiner.refine(frame, [Click(130, 20)], object_id=1)


def test_clicks_land_where_the_image_lies_in_the_padding(model, backend, image):
    """96x130 becomes 64x86, padded to 64x96 by 5 on each side."""
    geometry = frame_of(backend, image).geometry
    assert geometry.resized == (64, 86)
    points, kinds = compact._to_network(
        [Click(0, 0), Click(129, 95, positive=False)], geometry, torch.device('cpu')
    )
    x_scale, y_scale = 86 / 130, 64 / 96
    wanted = [[0.5 * x_scale - 0.5 + 5, 0.5 * y_scale - 0.5],
              [129.5 * x_scale - 0.5 + 5, 95.5 * y_scale - 0.5]]  # fmt: skip
    torch.testing.assert_close(points[0], torch.tensor(wanted))
    assert kinds.tolist() == [[1, -1]]


def test_click_maps_peak_at_the_click():
    points = torch.tensor([[[21.5, 9.5], [50.0, 50.0]]])
    maps = click_maps(points, torch.tensor([[1, 0]]), (64, 64), 4)
    assert maps.shape == (1, 4, 16, 16)
    assert divmod(int(maps[0, 1].argmax()), 16) == (2, 5)
    assert maps[0, 0, 2, 5] == 1
    assert maps[0, 2].sum() == 0
    assert maps[0, 3].sum() == 0


def test_similarity_is_1_at_the_click_and_minus_1_without_one():
    maps = torch.randn(1, 8, 16, 16)
    points = torch.tensor([[[4 * 5 + 1.5, 4 * 2 + 1.5]]])
    same = similarity_maps(maps, points, torch.tensor([[1]]), (64, 64))
    assert float(same[0, 0, 2, 5]) == pytest.approx(1, abs=1e-5)
    assert (same[0, 1] == -1).all()


def test_weights_come_back_from_disk(model, backend, tmp_path, image):
    path = tmp_path / 'r.safetensors'
    save_refiner(model, SIZES, path)
    for name, tensor in load_refiner_model(path).state_dict().items():
        torch.testing.assert_close(model.state_dict()[name], tensor, rtol=1e-3, atol=1e-3)
    assert 'r.safetensors' in CompactRefiner.load(path, backend).name
    path.write_bytes(b'nothing')
    with pytest.raises(ValueError, match='no readable'):
        load_refiner_model(path)
