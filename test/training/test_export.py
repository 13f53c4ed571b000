"""What training exports."""

import pytest
import torch

from lazy_vos_ros.engine.xmem.compact import CompactConfig
from lazy_vos_ros.engine.xmem.compact import compact_network
from lazy_vos_ros.engine.xmem.given import MATCH_CHANNELS
from lazy_vos_ros.training.export import export_tracker
from lazy_vos_ros.training.export import mean_state
from lazy_vos_ros.training.export import scale_logits


def test_gain_multiplies_the_logits_of_a_decoder():
    network = compact_network(CompactConfig()).eval()
    decoder = network.decoder
    read = network.value_dim + network.given_dim + MATCH_CHANNELS
    image = torch.rand(1, 3, 64, 64)
    with torch.inference_mode():
        features = network.encode_key(image)
        readout = torch.rand(1, 2, read, 8, 8)
        hidden = torch.rand(1, 2, network.hidden_dim, 8, 8)
        _, before = decoder(features, readout, hidden, update_hidden=False)
        scale_logits(decoder, 2.5)
        _, after = decoder(features, readout, hidden, update_hidden=False)
    assert before.abs().max() > 0.1
    torch.testing.assert_close(after, 2.5 * before)


@pytest.mark.parametrize('gain', [0.0, -1.0, float('nan')])
def test_gain_must_be_positive(gain):
    with pytest.raises(ValueError, match='allowed: above 0'):
        scale_logits(compact_network(CompactConfig()).decoder, gain)


def test_mean_of_runs_is_that_of_their_averages():
    runs = [{'n_averaged': torch.tensor(9), 'module.w': torch.tensor([x])} for x in (1.0, 4.0)]
    assert mean_state(runs) == {'w': torch.tensor([2.5])}


def test_no_checkpoint_is_refused(tmp_path):
    with pytest.raises(ValueError, match='no checkpoint'):
        export_tracker([], tmp_path / 'out.safetensors')
