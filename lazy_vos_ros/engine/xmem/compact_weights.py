"""The compact network's weights: a safetensors file with its sizes as metadata."""

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TypeVar

import torch
from safetensors import SafetensorError
from safetensors import safe_open
from safetensors.torch import save_file

from lazy_vos_ros.engine.weights import check_entries
from lazy_vos_ros.engine.xmem.compact import CompactConfig
from lazy_vos_ros.engine.xmem.compact import compact_network
from lazy_vos_ros.engine.xmem.network import XMemNetwork

_KIND = 'compact tracker'
_LARGEST = 1024
"""Channels; more is no compact network, and might not fit into memory."""

Sizes = TypeVar('Sizes')


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
    config, state = read_described(path, _KIND, CompactConfig)
    network = compact_network(config)
    check_entries(path, network.state_dict(), state)
    network.load_state_dict(state)
    return network


def read_described(
    path: Path, kind: str, sizes: Callable[..., Sizes]
) -> tuple[Sizes, dict[str, torch.Tensor]]:
    """Read a safetensors file whose metadata name its kind and the sizes of its network.

    Returns
    -------
    The sizes, made by `sizes` from whole numbers by field name, and the entries as float32.

    Raises
    ------
    ValueError
        If the file is damaged, of another kind, or its sizes are no such numbers.
    """
    try:
        with safe_open(path, framework='pt') as file:
            metadata = file.metadata() or {}
            state = {name: file.get_tensor(name).float() for name in file.keys()}  # noqa: SIM118
    except SafetensorError as error:
        raise ValueError(f'{path} is no readable file of weights: {error}') from error
    if metadata.get('kind') != kind:
        raise ValueError(f'{path} holds {metadata.get("kind")!r}; allowed: {kind!r}')
    described = metadata.get('config', 'nothing')
    try:
        values = json.loads(described)
        if not all(type(value) is int and 0 < value <= _LARGEST for value in values.values()):
            raise ValueError
        return sizes(**values), state
    except (ValueError, TypeError, AttributeError):
        allowed = f'sizes of the network by name, each a whole number from 1 to {_LARGEST}'
        raise ValueError(
            f'{path} describes its network as {described[:200]!r}; allowed: {allowed}'
        ) from None
