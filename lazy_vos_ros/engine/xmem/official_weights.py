"""The published checkpoints: strict loading, sizes inferred from the file."""

from pathlib import Path

import torch

from lazy_vos_ros.engine.weights import check_entries
from lazy_vos_ros.engine.weights import read_state
from lazy_vos_ros.engine.xmem.network import XMemNetwork
from lazy_vos_ros.engine.xmem.official import Dimensions
from lazy_vos_ros.engine.xmem.official import official_network

_STEM = 'value_encoder.conv1.weight'
_STEM_INPUTS = 5


def load_official_network(path: Path) -> XMemNetwork:
    """Build the published network that a file holds and load it strictly, as float32.

    Checkpoints for a single object have a value encoder without the channel of the other
    objects' masks; it is added with zero weights.

    Raises
    ------
    ValueError
        If the file is damaged or is not of this network, naming the entries that differ.
    """
    state = {
        name: tensor.float() if tensor.is_floating_point() else tensor
        for name, tensor in read_state(path).items()
    }
    _add_channel_of_others(state)
    with torch.device('meta'):
        network = official_network(infer_dimensions(state))
    check_entries(path, network.state_dict(), state)
    network.load_state_dict(state, assign=True)
    return network


def infer_dimensions(state: dict[str, torch.Tensor]) -> Dimensions:
    """Return the sizes that a state has, the published ones where it does not say."""
    default = Dimensions()
    gate = state.get('decoder.hidden_update.transform.weight')
    return Dimensions(
        key=_outputs(state, 'key_proj.key_proj.weight', default.key),
        value=_outputs(state, 'value_encoder.fuser.block2.conv2.weight', default.value),
        hidden=0 if gate is None or not gate.ndim else gate.shape[0] // 3,
    )


def _outputs(state: dict[str, torch.Tensor], name: str, default: int) -> int:
    return state[name].shape[0] if name in state and state[name].ndim else default


def _add_channel_of_others(state: dict[str, torch.Tensor]) -> None:
    stem = state.get(_STEM)
    if stem is not None and stem.ndim == 4 and stem.shape[1] == _STEM_INPUTS - 1:
        state[_STEM] = torch.cat([stem, torch.zeros_like(stem[:, :1])], 1)
