"""The compact network's weights: a safetensors file with its sizes as metadata."""

import json
from dataclasses import asdict
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors import safe_open
from safetensors.torch import save_file

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
    try:
        with safe_open(path, framework='pt') as file:
            metadata = file.metadata() or {}
            state = {name: file.get_tensor(name).float() for name in file.keys()}  # noqa: SIM118
    except SafetensorError as error:
        raise ValueError(f'{path} is no readable safetensors file: {error}') from error
    if metadata.get('kind') != _KIND:
        raise ValueError(f'{path} holds {metadata.get("kind")!r}; allowed: {_KIND!r}')
    network = compact_network(CompactConfig(**json.loads(metadata['config'])))
    check_entries(path, network.state_dict(), state)
    network.load_state_dict(state)
    network.key_encoder.to(memory_format=torch.channels_last)
    return network


def check_entries(
    path: Path, wanted: dict[str, torch.Tensor], found: dict[str, torch.Tensor]
) -> None:
    """Raise ValueError that names the first entries by which a file differs from a network."""
    missing, unknown = sorted(wanted.keys() - found.keys()), sorted(found.keys() - wanted.keys())
    if missing or unknown:
        raise ValueError(f'{path}: missing entries {missing[:3]}, unknown entries {unknown[:3]}')
    for name, tensor in wanted.items():
        if found[name].shape != tensor.shape:
            raise ValueError(
                f'{path}: {name} is {tuple(found[name].shape)}; allowed: {tuple(tensor.shape)}'
            )
        if not found[name].isfinite().all():
            raise ValueError(f'{path}: {name} has values that are not finite')
