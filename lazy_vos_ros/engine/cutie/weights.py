"""Cutie's published checkpoints: strict loading, the variant inferred from the file."""

from collections.abc import Mapping
from pathlib import Path

import torch

from lazy_vos_ros.engine.cutie.network import CutieNetwork
from lazy_vos_ros.engine.cutie.package import build_model
from lazy_vos_ros.engine.cutie.package import published_sizes
from lazy_vos_ros.engine.weights import check_entries
from lazy_vos_ros.engine.weights import read_state

_ONLY_OF_BASE = 'pixel_encoder.res2.0.conv3.weight'
_TRAINING = 'aux_computer.'
_CONSTANT = ('.inv_freq', '.num_batches_tracked')


def load_cutie_network(path: Path) -> CutieNetwork:
    """Build the published network that a file holds and load it, as float32.

    Entries that are only used in training, or are constants of the network, may be missing.

    Raises
    ------
    ValueError
        If the file is damaged or is not of this network, naming the entries that differ.
    RuntimeError
        If the package rf-cutie is not installed; the message says what to do.
    """
    sizes = published_sizes()  # first, so that a missing package is told before a slow read
    state = _essential(read_state(path))
    if _ONLY_OF_BASE not in state:
        sizes = published_sizes('small')
    model = build_model(sizes)
    check_entries(path, _essential(model.state_dict()), state)
    model.load_state_dict(state, strict=False)
    return CutieNetwork(model)


def _essential(state: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {
        name: tensor
        for name, tensor in state.items()
        if not name.startswith(_TRAINING) and not name.endswith(_CONSTANT)
    }
