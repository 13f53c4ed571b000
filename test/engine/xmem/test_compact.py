"""The compact network: shapes, what its inductive bias promises, its weights on disk."""

import pytest
import torch

from lazy_vos_ros.engine.backend import MemoryWrite
from lazy_vos_ros.engine.xmem.aggregation import aggregate
from lazy_vos_ros.engine.xmem.backend import XMemBackend
from lazy_vos_ros.engine.xmem.compact import CompactConfig
from lazy_vos_ros.engine.xmem.compact import compact_network
from lazy_vos_ros.engine.xmem.compact import read_cues
from lazy_vos_ros.engine.xmem.compact_weights import load_compact_network
from lazy_vos_ros.engine.xmem.compact_weights import save_compact_network
from lazy_vos_ros.engine.xmem.config import XMemConfig
from lazy_vos_ros.engine.xmem.lite_trunk import LiteTrunk
from lazy_vos_ros.engine.xmem.lite_trunk import SameConv

SMALL = CompactConfig(key=8, learnt=8, hidden=4, detail=3, coarse=16, middle=8, fine=8)


@pytest.fixture
def network():
    torch.manual_seed(0)
    return compact_network(SMALL).eval()


def square(height=64, width=96):
    masks = torch.zeros(1, 2, height, width)
    masks[0, 0, 12:37, 20:50] = 1
    masks[0, 1, 40:60, 60:90] = 1
    return masks


@torch.no_grad()
def test_sizes_are_those_the_engine_expects(network):
    image = torch.randn(1, 3, 64, 96)
    features = network.encode_key(image)
    assert features.key.shape == (1, 8, 4, 6)
    assert features.f8.shape[-2:] == (8, 12)
    assert features.f4.shape[-2:] == (16, 24)
    hidden = torch.zeros(1, 2, 4, 4, 6)
    value, same = network.encode_value(image, features.f16, hidden, square(), deep_update=False)
    assert value.shape == (1, 2, network.value_dim, 4, 6)
    assert same is hidden
    _, refreshed = network.encode_value(image, features.f16, hidden, square(), deep_update=True)
    assert refreshed.shape == hidden.shape
    assert not torch.equal(refreshed, hidden)
    new, logits = network.decode(
        features.f16, features.f8, features.f4, value, hidden, update_hidden=True
    )
    assert logits.shape == (1, 2, 64, 96)
    assert new.shape == hidden.shape
    new, _ = network.decode(
        features.f16, features.f8, features.f4, value, hidden, update_hidden=False
    )
    assert new is None


@torch.no_grad()
def test_the_value_carries_the_mask(network):
    """Read out unchanged, a value gives back the mask at stride 4, one object as the other."""
    image = torch.randn(1, 3, 64, 96)
    features = network.encode_key(image)
    hidden = torch.zeros(1, 2, 4, 4, 6)
    masks = square()
    value, _ = network.encode_value(image, features.f16, hidden, masks, deep_update=False)
    cues = read_cues(torch.zeros(1, SMALL.detail, 16, 24), value[0])
    wanted = torch.nn.functional.avg_pool2d(masks[0][:, None], 4)
    torch.testing.assert_close(cues.prior.sigmoid(), wanted.clamp(0.01, 0.99))


@torch.no_grad()
def test_colour_cue_tells_the_object_from_its_surroundings():
    """With one colour inside and another outside, every pixel is on its own side."""
    detail = torch.full((1, 2, 16, 24), -1.0)
    inside = torch.zeros(16, 24, dtype=torch.bool)
    inside[4:12, 8:16] = True
    detail[..., inside] = 1.0
    mask = inside.float()[None, None]
    cells = torch.nn.functional.pixel_unshuffle(mask, 4)
    pool = torch.nn.functional.avg_pool2d
    readout = torch.cat([cells, pool(detail * mask, 4), pool(detail * (1 - mask), 4)], 1)
    cues = read_cues(detail, readout)
    near = torch.zeros_like(inside)
    near[2:14, 6:18] = True
    assert (cues.colour[0, 0][inside] > 0).all()
    assert (cues.colour[0, 0][near & ~inside] < 0).all()


@torch.no_grad()
def test_objects_see_each_other_as_others(network):
    """An object's value depends on where the other objects are."""
    image = torch.randn(1, 3, 64, 96)
    f16 = network.encode_key(image).f16
    hidden = torch.zeros(1, 2, 4, 4, 6)
    masks = square()
    both, _ = network.encode_value(image, f16, hidden, masks, deep_update=False)
    alone, _ = network.encode_value(image, f16, hidden[:, :1], masks[:, :1], deep_update=False)
    assert not torch.allclose(both[:, 0], alone[:, 0])
    swapped, _ = network.encode_value(image, f16, hidden, masks.flip(1), deep_update=False)
    torch.testing.assert_close(swapped.flip(1), both)


def test_gradients_reach_every_trained_part(network):
    image = torch.randn(1, 3, 32, 32)
    features = network.encode_key(image)
    hidden = torch.randn(1, 1, 4, 2, 2)
    masks = torch.rand(1, 1, 32, 32)
    value, hidden = network.encode_value(image, features.f16, hidden, masks, deep_update=True)
    new, logits = network.decode(
        features.f16, features.f8, features.f4, value, hidden, update_hidden=True
    )
    key = features.key.square() * features.selection * features.shrinkage
    (aggregate(logits.sigmoid())[:, 1].sum() + new.sum() + key.sum()).backward()
    without = [name for name, p in network.named_parameters() if p.grad is None]
    assert without == []


def test_alternating_padding_keeps_features_centred():
    """A point in the middle of the image stays in the middle through all strided layers."""
    first = SameConv(1, 1, 3, 2)
    second = SameConv(1, 1, 3, 2, odd_pixel_first=True)
    assert first.same_padding == (0, 1, 0, 1)
    assert second.same_padding == (1, 0, 1, 0)
    assert first(torch.zeros(1, 1, 32, 48)).shape == (1, 1, 16, 24)
    strided = [b.depthwise for b in LiteTrunk().blocks if b.depthwise.stride[0] > 1]
    sides = [conv.same_padding[0] > conv.same_padding[1] for conv in strided]
    assert sides == [True, False, True]


def test_weights_come_back_from_disk(network, tmp_path):
    path = tmp_path / 'w.safetensors'
    save_compact_network(network, SMALL, path)
    loaded = load_compact_network(path)
    for name, tensor in network.state_dict().items():
        torch.testing.assert_close(loaded.state_dict()[name], tensor, rtol=1e-3, atol=1e-3)


def test_damaged_or_foreign_weights_are_refused(network, tmp_path):
    path = tmp_path / 'w.safetensors'
    path.write_bytes(b'no weights')
    with pytest.raises(ValueError, match='no readable'):
        load_compact_network(path)
    with torch.no_grad():
        network.decoder.pred.bias.fill_(float('nan'))
    save_compact_network(network, SMALL, path)
    with pytest.raises(ValueError, match='not finite'):
        load_compact_network(path)
    from safetensors.torch import save_file

    save_file({'x': torch.zeros(1)}, path, metadata={'kind': 'something else'})
    with pytest.raises(ValueError, match='something else'):
        load_compact_network(path)


def test_the_engine_tracks_two_objects_with_it(network):
    """The same backend and memories as for the published network, over a consolidation."""
    config = XMemConfig(
        size=-1, mem_every=1, max_mid_term_frames=4, min_mid_term_frames=2, num_prototypes=8
    )
    backend = XMemBackend(network, config)
    image = (torch.rand(50, 70, 3) * 255).to(torch.uint8).numpy()
    masks = {i + 1: mask > 0 for i, mask in enumerate(square(50, 70)[0])}
    prediction = backend.add_objects(backend.predict(image), masks)
    backend.commit(prediction, MemoryWrite.FORCED)
    for _ in range(6):
        prediction = backend.predict(image)
        backend.commit(prediction)
    assert prediction.probabilities.shape == (3, 50, 70)
    assert backend.memory_size().long_term > 0
