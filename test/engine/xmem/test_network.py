import pytest
import torch

from lazy_vos_ros.engine.xmem.blocks import CBAM
from lazy_vos_ros.engine.xmem.blocks import FusingResBlock
from lazy_vos_ros.engine.xmem.blocks import GatedUpdate
from lazy_vos_ros.engine.xmem.blocks import GroupResBlock
from lazy_vos_ros.engine.xmem.official import Dimensions
from lazy_vos_ros.engine.xmem.official import official_network


@pytest.mark.parametrize('outputs', [5, 7])
def test_fusing_equals_the_block_on_joined_channels(outputs):
    torch.manual_seed(0)
    fusing = FusingResBlock(3, 4, outputs)
    block = GroupResBlock(7, outputs)
    block.load_state_dict(fusing.state_dict())
    image, folded = torch.randn(2, 3, 6, 6), torch.randn(4, 4, 6, 6)
    joined = torch.cat([image.repeat_interleave(2, 0), folded], 1)
    torch.testing.assert_close(fusing(image, folded), block(joined))


def test_the_gates_of_the_sensory_update():
    update = GatedUpdate(2, 3)
    hidden = torch.randn(1, 3, 4, 4)
    torch.nn.init.zeros_(update.transform.weight)
    with torch.no_grad():
        update.transform.bias.copy_(torch.tensor([50.0] * 3 + [-50.0] * 3 + [9.0] * 3))
        torch.testing.assert_close(update(torch.zeros(1, 2, 4, 4), hidden), hidden)
        update.transform.bias.copy_(torch.tensor([50.0] * 3 + [50.0] * 3 + [9.0] * 3))
        candidate = torch.full_like(hidden, 9.0).tanh()
        torch.testing.assert_close(update(torch.zeros(1, 2, 4, 4), hidden), candidate)


def test_attention_keeps_signs_and_never_amplifies():
    x = torch.randn(2, 16, 5, 5)
    gated = CBAM(16)(x)
    assert (gated.abs() <= x.abs()).all()
    assert (gated * x >= 0).all()


def test_other_sizes_and_no_sensory_memory():
    network = official_network(Dimensions(key=16, value=32, hidden=0))
    names = network.state_dict()
    assert not [name for name in names if 'hidden' in name]
    assert names['decoder.fuser.block1.conv1.weight'].shape[1] == 1024 + 32
    hidden = torch.zeros(1, 2, 0, 2, 3)
    with torch.inference_mode():
        image = torch.randn(1, 3, 32, 48)
        features = network.encode_key(image)
        masks = torch.rand(1, 2, 32, 48)
        value, _ = network.encode_value(image, features, hidden, masks, deep_update=True)
        new, logits = network.decode(features, value, hidden, update_hidden=True)
    assert features.size == (2, 3)
    assert value.shape == (1, 2, 32, 2, 3)
    assert new.shape == hidden.shape
    assert logits.shape == (1, 2, 32, 48)


def test_objects_do_not_mix_but_by_the_masks_of_others(filled_network):
    torch.manual_seed(1)
    image, masks = torch.randn(1, 3, 32, 32), torch.rand(1, 2, 32, 32)
    hidden = torch.zeros(1, 2, 64, 2, 2)
    with torch.inference_mode():
        features = filled_network.encode_key(image)
        both, _ = filled_network.encode_value(image, features, hidden, masks, deep_update=False)
        swapped, _ = filled_network.encode_value(
            image, features, hidden, masks.flip(1), deep_update=False
        )
        alone, _ = filled_network.encode_value(
            image, features, hidden[:, :1], masks[:, :1], deep_update=False
        )
    torch.testing.assert_close(both, swapped.flip(1), rtol=1e-4, atol=1e-4)
    assert (both[:, :1] - alone).abs().max() > 1e-3


def test_shrinkage_and_selection_are_in_their_ranges(filled_network):
    with torch.inference_mode():
        features = filled_network.encode_key(torch.randn(1, 3, 32, 32))
    assert features.shrinkage.min() >= 1
    assert features.selection.min() > 0
    assert features.selection.max() < 1
