"""The compact network: shapes, what its inductive bias promises, its weights on disk."""

from dataclasses import replace

import pytest
import torch
from safetensors.torch import save_file

from lazy_vos_ros.engine.backend import MemoryWrite
from lazy_vos_ros.engine.build import make_backend
from lazy_vos_ros.engine.weights import find_entry
from lazy_vos_ros.engine.xmem.aggregation import aggregate
from lazy_vos_ros.engine.xmem.backend import XMemBackend
from lazy_vos_ros.engine.xmem.compact import CompactConfig
from lazy_vos_ros.engine.xmem.compact import compact_network
from lazy_vos_ros.engine.xmem.compact_decoder import of_others
from lazy_vos_ros.engine.xmem.compact_decoder import read_masks
from lazy_vos_ros.engine.xmem.compact_decoder import split_readout
from lazy_vos_ros.engine.xmem.compact_sensory import split_sensory
from lazy_vos_ros.engine.xmem.compact_weights import load_compact_network
from lazy_vos_ros.engine.xmem.compact_weights import save_compact_network
from lazy_vos_ros.engine.xmem.config import XMemConfig
from lazy_vos_ros.engine.xmem.lite_trunk import LiteTrunk
from lazy_vos_ros.engine.xmem.lite_trunk import SameConv
from lazy_vos_ros.evaluation.speed.scene import MovingScene

SMALL = CompactConfig(key=8, learnt=8, state=4, coarse=16, middle=8, fine=8)


@pytest.fixture
def network():
    torch.manual_seed(0)
    return compact_network(SMALL).eval()


def readout_of(value, match=0.0):
    """What the memory answers if it holds this value of the given frame alone."""
    matches = torch.full_like(value[:, :, :2], match)
    return torch.cat([value, value[:, :, :4], matches], 2)


def square(height=64, width=96):
    masks = torch.zeros(1, 2, height, width)
    masks[0, 0, 12:37, 20:50] = 1
    masks[0, 1, 40:60, 60:90] = 1
    return masks


@torch.no_grad()
def test_sizes_are_those_the_engine_expects(network):
    image = torch.randn(1, 3, 64, 96)
    features = network.encode_key(image)
    assert features.key.shape == (1, 8, 8, 12)
    assert features.f16.shape[-2:] == (4, 6)
    assert features.f4.shape[-2:] == (16, 24)
    hidden = torch.zeros(1, 2, network.hidden_dim, 8, 12)
    value, same = network.encode_value(image, features, hidden, square(), deep_update=False)
    assert value.shape == (1, 2, network.value_dim, 8, 12)
    assert same is hidden
    _, refreshed = network.encode_value(image, features, hidden, square(), deep_update=True)
    assert refreshed.shape == hidden.shape
    read = readout_of(value)
    new, logits = network.decode(features, read, hidden, update_hidden=True)
    assert logits.shape == (1, 2, 64, 96)
    assert new.shape == hidden.shape
    new, _ = network.decode(features, read, hidden, update_hidden=False)
    assert new is None


@torch.no_grad()
def test_value_and_sensory_memory_carry_the_mask(network):
    """Read out unchanged, both give back the mask at stride 4, one object as the other."""
    image = torch.randn(1, 3, 64, 96)
    features = network.encode_key(image)
    hidden = torch.zeros(1, 2, network.hidden_dim, 8, 12)
    value, hidden = network.encode_value(image, features, hidden, square(), deep_update=True)
    cells = split_sensory(hidden, SMALL.state).cells
    read = split_readout(readout_of(value, match=-1.0)[0], network.value_dim)
    assert (read.match == -1).all()
    masks = read_masks(read, cells, (of_others(cells, 1), of_others(read.given, 1)))
    wanted = torch.nn.functional.avg_pool2d(square()[0][:, None], 4).clamp(0.01, 0.99)
    torch.testing.assert_close(masks.memory.sigmoid(), wanted)
    torch.testing.assert_close(masks.sensory.sigmoid(), wanted)
    torch.testing.assert_close(masks.given.sigmoid(), wanted)
    torch.testing.assert_close(masks.others.sigmoid(), wanted.flip(0))
    torch.testing.assert_close(masks.others_given.sigmoid(), wanted.flip(0))


@torch.no_grad()
def test_the_decoder_writes_what_it_decoded_into_the_sensory_memory(network):
    image = torch.randn(1, 3, 64, 96)
    features = network.encode_key(image)
    hidden = torch.zeros(1, 2, network.hidden_dim, 8, 12)
    value, hidden = network.encode_value(image, features, hidden, square(), deep_update=True)
    read = readout_of(value)
    new, logits = network.decode(features, read, hidden, update_hidden=True)
    written = split_sensory(new, SMALL.state)
    fine = network.decoder(features, read, hidden, update_hidden=False)[1]
    cells = torch.nn.functional.pixel_unshuffle(fine[0][:, None].sigmoid(), 2)
    torch.testing.assert_close(written.cells, cells)
    unit = torch.nn.functional.normalize(features.key, dim=1).expand(2, -1, -1, -1)
    torch.testing.assert_close(written.key, unit)
    assert logits.shape == (1, 2, 64, 96)


@torch.no_grad()
def test_an_unmoved_image_leaves_the_last_mask_where_it_is(network):
    """With much weight on nearness, aligning is the identity, also beside a new object."""
    image = torch.randn(1, 3, 64, 96)
    features = network.encode_key(image)
    hidden = torch.zeros(1, 2, network.hidden_dim, 8, 12)
    _, hidden = network.encode_value(image, features, hidden, square(), deep_update=True)
    network.decoder.locality.fill_(4.0)
    _, cells = network.decoder.align_sensory(features, hidden)
    torch.testing.assert_close(cells, split_sensory(hidden, SMALL.state).cells, atol=1e-3, rtol=0)
    newcomer = torch.cat([hidden[:, :1], torch.zeros_like(hidden[:, 1:])], 1)
    _, cells = network.decoder.align_sensory(features, newcomer)
    wanted = split_sensory(newcomer, SMALL.state).cells
    torch.testing.assert_close(cells, wanted, atol=1e-3, rtol=0)


@torch.no_grad()
def test_objects_see_each_other_as_others(network):
    """An object's value depends on where the other objects are."""
    image = torch.randn(1, 3, 64, 96)
    features = network.encode_key(image)
    hidden = torch.zeros(1, 2, network.hidden_dim, 8, 12)
    masks = square()
    both, _ = network.encode_value(image, features, hidden, masks, deep_update=False)
    alone, _ = network.encode_value(
        image, features, hidden[:, :1], masks[:, :1], deep_update=False
    )
    assert not torch.allclose(both[:, 0], alone[:, 0])
    swapped, _ = network.encode_value(image, features, hidden, masks.flip(1), deep_update=False)
    torch.testing.assert_close(swapped.flip(1), both)


def test_gradients_reach_every_trained_part(network):
    image = torch.randn(1, 3, 32, 32)
    features = network.encode_key(image)
    hidden = torch.randn(1, 1, network.hidden_dim, 4, 4)
    masks = torch.rand(1, 1, 32, 32)
    value, hidden = network.encode_value(image, features, hidden, masks, deep_update=True)
    new, logits = network.decode(features, readout_of(value), hidden, update_hidden=True)
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
        network.decoder.predict.bias.fill_(float('nan'))
    save_compact_network(network, SMALL, path)
    with pytest.raises(ValueError, match='not finite'):
        load_compact_network(path)
    save_file({'x': torch.zeros(1)}, path, metadata={'kind': 'something else'})
    with pytest.raises(ValueError, match='something else'):
        load_compact_network(path)


@pytest.mark.parametrize(
    'config',
    [
        None,
        '{',
        '[]',
        'null',
        '{"key": "x"}',
        '{"key": -1}',
        '{"key": true}',
        '{"key": 99999}',
        '{"keys": 32}',
        '{"key": 1e9}',
    ],
)
def test_weights_with_a_wrong_description_are_refused(tmp_path, config):
    path = tmp_path / 'wrong.safetensors'
    metadata = {'kind': 'compact tracker', **({} if config is None else {'config': config})}
    save_file({'entry': torch.zeros(1)}, path, metadata=metadata)
    with pytest.raises(ValueError, match=r'wrong\.safetensors describes its network as .*allowed'):
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


def masks_of_the_scene(precision, size, frames):
    """(frames, H, W) the object's mask on every frame, by the weights that come with this."""
    settings = XMemConfig(**{**find_entry('compact').settings, 'size': size})
    backend = make_backend(
        'compact', device='cpu', settings=replace(settings, precision=precision)
    )
    scene = MovingScene(size, size * 3 // 2)
    first = backend.predict(scene.frame(0))
    backend.commit(backend.add_objects(first, {1: torch.from_numpy(scene.mask(0))}))
    masks = []
    for index in range(1, frames):
        prediction = backend.predict(scene.frame(index))
        masks.append(prediction.probabilities[1] > 0.5)
        backend.commit(prediction)
    return torch.stack(masks)


@pytest.mark.parametrize(('precision', 'size', 'frames'), [('bf16', 192, 8), ('fp16', 128, 4)])
def test_half_precision_keeps_the_masks(precision, size, frames):
    exact = masks_of_the_scene('fp32', size, frames)
    half = masks_of_the_scene(precision, size, frames)
    overlap = (exact & half).sum((1, 2)) / (exact | half).sum((1, 2))
    assert exact.any((1, 2)).all()
    assert (overlap > 0.98).all()
