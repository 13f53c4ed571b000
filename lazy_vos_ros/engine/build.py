"""Build a tracker from the name of its weights."""

from pathlib import Path

import torch

from lazy_vos_ros.engine.weights import WeightsEntry
from lazy_vos_ros.engine.weights import checked_path
from lazy_vos_ros.engine.weights import find_entry
from lazy_vos_ros.engine.weights import locate
from lazy_vos_ros.engine.xmem.backend import XMemBackend
from lazy_vos_ros.engine.xmem.compact_weights import load_compact_network
from lazy_vos_ros.engine.xmem.config import XMemConfig
from lazy_vos_ros.engine.xmem.official_weights import load_official_network

TRACKER_PREFERENCE = ('xmem-s012', 'xmem', 'compact')
"""What ``auto`` takes: the first of these that is present."""

_TITLES = {'official': 'XMem', 'compact': 'compact XMem'}
_LOADERS = {'official': load_official_network, 'compact': load_compact_network}


def make_backend(
    weights: str = 'auto', *, device: str = 'auto', settings: XMemConfig | None = None
) -> XMemBackend:
    """Build a tracker; its name says which network and file it runs on.

    Parameters
    ----------
    weights
        ``auto`` (see :data:`TRACKER_PREFERENCE`), a name of the manifest, or the path of a file:
        ``.safetensors`` for the compact network, else a published checkpoint.
    device
        ``auto`` (a CUDA device if there is one, else the CPU) or a name that PyTorch knows.
    settings
        Of the tracker; None for those that suit the weights.

    Raises
    ------
    ValueError
        If the weights are unknown, damaged, not of a tracker, or not what the manifest says.
    RuntimeError
        If the weights are not on this machine.
    """
    entry = tracker_entry(weights)
    path = checked_path(entry)
    network = _LOADERS[entry.network](path)
    return XMemBackend(
        network,
        settings or XMemConfig(**entry.settings),
        name=f'{_TITLES[entry.network]} ({path.name})',
        device=resolve_device(device),
    )


def tracker_entry(weights: str) -> WeightsEntry:
    """Return the entry of the manifest that `weights` means, or one made for a path."""
    if weights == 'auto':
        for name in TRACKER_PREFERENCE:
            if locate(find_entry(name)) is not None:
                return find_entry(name)
        return find_entry(TRACKER_PREFERENCE[0])
    path = Path(weights).expanduser()
    if path.is_file():
        return _entry_of_file(path)
    entry = find_entry(weights)
    if entry.kind != 'tracker':
        raise ValueError(f'weights {entry.name} are of a {entry.kind}; allowed: of a tracker')
    return entry


def resolve_device(device: str) -> torch.device:
    """Return the device that a name means.

    Raises
    ------
    ValueError
        If the name is none of a device, or the device is not on this machine.
    """
    gpus = torch.cuda.device_count()
    if device == 'auto':
        return torch.device('cuda' if gpus else 'cpu')
    present = ['cpu', 'cuda', *(f'cuda:{number}' for number in range(gpus))] if gpus else ['cpu']
    if device not in present:
        raise ValueError(
            f'device is {device!r}; allowed on this machine: auto, {", ".join(present)}'
        )
    return torch.device(device)


def _entry_of_file(path: Path) -> WeightsEntry:
    network = 'compact' if path.suffix == '.safetensors' else 'official'
    like = find_entry('compact' if network == 'compact' else 'xmem-s012')
    return WeightsEntry(
        name=path.stem,
        file=str(path.absolute()),
        kind='tracker',
        network=network,
        url=None,
        sha256=None,
        description=f'{path}',
        settings=like.settings,
        thresholds=like.thresholds,
    )
