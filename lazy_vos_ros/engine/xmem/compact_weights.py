"""The compact network's weights: a safetensors file with its sizes as metadata."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors import safe_open
from safetensors.torch import save_file

from lazy_vos_ros.engine.weights import check_entries
from lazy_vos_ros.engine.xmem.compact import CompactConfig
from lazy_vos_ros.engine.xmem.compact import compact_network
from lazy_vos_ros.engine.xmem.network import XMemNetwork

_KIND = 'compact tracker'


def save_compact_network(
    network: XMemNetwork, config: CompactConfig, path: Path, *, recipe: str = ''
) -> None:
    """Write the weights in half precision; `recipe` is a word on how they came about."""
    state = {name: tensor.half().contiguous() for name, tensor in network.state_dict().items()}
    metadata = {'kind': _KIND, 'config': json.dumps(asdict(config)), 'recipe': recipe}
    save_file(state, path, metadata=metadata)


def load_compact_network(path: Path) -> XMemNetwork:
    """Build the network that the file describes and load its weights, as float32.

    Raises
    ------
    ValueError
        If the file is not one of this kind, is damaged, or its entries do not fit.
    """
    sizes, state = read_described(path, _KIND)
    network = compact_network(CompactConfig(**sizes))
    check_entries(path, network.state_dict(), state)
    network.load_state_dict(state)
    return network


def read_described(path: Path, kind: str) -> tuple[dict[str, Any], dict[str, torch.Tensor]]:
    """Read a safetensors file whose metadata name its kind and the sizes of its network.

    Returns
    -------
    The sizes by field name, and the entries as float32.

    Raises
    ------
    ValueError
        If the file is damaged or of another kind.
    """
    try:
        with safe_open(path, framework='pt') as file:
            metadata = file.metadata() or {}
            state = {name: file.get_tensor(name).float() for name in file.keys()}  # noqa: SIM118
    except SafetensorError as error:
        raise ValueError(f'{path} is no readable file of weights: {error}') from error
    if metadata.get('kind') != kind:
        raise ValueError(f'{path} holds {metadata.get("kind")!r}; allowed: {kind!r}')
    return json.loads(metadata['config']), state
