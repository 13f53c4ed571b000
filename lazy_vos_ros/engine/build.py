"""Build a tracker from the name of its weights or its own: the one place that knows them all."""

from pathlib import Path

import torch

from lazy_vos_ros.engine.backend import Backend
from lazy_vos_ros.engine.cutie.backend import CutieBackend
from lazy_vos_ros.engine.cutie.weights import load_cutie_network
from lazy_vos_ros.engine.weights import WeightsEntry
from lazy_vos_ros.engine.weights import checked_path
from lazy_vos_ros.engine.weights import find_entry
from lazy_vos_ros.engine.weights import known_weights
from lazy_vos_ros.engine.weights import locate
from lazy_vos_ros.engine.weights import title_of
from lazy_vos_ros.engine.xmem.backend import XMemBackend
from lazy_vos_ros.engine.xmem.compact_weights import load_compact_network
from lazy_vos_ros.engine.xmem.config import XMemConfig
from lazy_vos_ros.engine.xmem.official_weights import load_official_network

TRACKER_PREFERENCE = {
    'xmem': ('xmem-s012', 'xmem', 'compact'),
    'cutie': ('cutie', 'cutie-small'),
}
"""What weights ``auto`` mean for each tracker: the first of these that are present."""

_TITLES = {'official': 'XMem', 'compact': 'compact XMem', 'cutie': 'Cutie'}
_LOADERS = {'official': load_official_network, 'compact': load_compact_network}
_CUTIE = 'cutie'


def make_backend(
    weights: str = 'auto',
    *,
    backend: str = 'auto',
    device: str = 'auto',
    settings: XMemConfig | None = None,
) -> Backend:
    """Build a tracker; its name says which network and file it runs on.

    Without the lazy layer the method of a benchmark is named like the tracker, ``xmem`` or
    ``cutie``; the lazy layer takes either of them and tells no difference.

    Parameters
    ----------
    weights
        ``auto`` (see :data:`TRACKER_PREFERENCE`), a name of the manifest, or the path of a file:
        one with a name of the manifest, ``.safetensors`` for the compact network, else a
        published checkpoint.
    backend
        ``xmem``, ``cutie`` (needs the optional package rf-cutie), or ``auto``: that of the
        weights, and XMem where these do not say it.
    device
        ``auto`` (a CUDA device if there is one, else the CPU) or a name that PyTorch knows.
    settings
        Of the tracker, whichever it is; None for those that suit the weights.

    Raises
    ------
    ValueError
        If the weights are unknown, damaged, not of a tracker or of another one than `backend`,
        or not what the manifest says; or if `backend` is unknown.
    RuntimeError
        If the weights or the package that they need are not on this machine; the message says
        how to get them.
    """
    entry = tracker_entry(weights, backend)
    path = checked_path(entry)
    settings = settings or XMemConfig(**entry.settings)
    name = f'{_TITLES[entry.network]} ({title_of(path)})'
    where = resolve_device(device)
    if entry.network == _CUTIE:
        return CutieBackend(load_cutie_network(path), settings, name=name, device=where)
    return XMemBackend(_LOADERS[entry.network](path), settings, name=name, device=where)


def tracker_entry(weights: str, backend: str = 'auto') -> WeightsEntry:
    """Return the entry of the manifest that `weights` means, or one made for a path.

    Raises
    ------
    ValueError
        If the weights are unknown, or not of a tracker, or of another one than `backend`.
    """
    if backend != 'auto' and backend not in TRACKER_PREFERENCE:
        allowed = ', '.join(TRACKER_PREFERENCE)
        raise ValueError(f'backend is {backend!r}; allowed: auto, {allowed}')
    if weights == 'auto':
        return _preferred_entry(backend)
    path = Path(weights).expanduser()
    if path.is_file():
        return _entry_of_file(path, backend)
    entry = _named_entry(weights)
    if entry.kind != 'tracker':
        raise ValueError(f'weights {entry.name} are of a {entry.kind}; allowed: of a tracker')
    own = 'cutie' if entry.network == _CUTIE else 'xmem'
    if backend not in ('auto', own):
        raise ValueError(
            f'weights {entry.name} are of the backend {own}, and backend is {backend!r}; allowed: '
            f'auto, {", ".join(TRACKER_PREFERENCE[backend])}, or the path of a file'
        )
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


def _named_entry(weights: str) -> WeightsEntry:
    try:
        return find_entry(weights)
    except ValueError:
        trackers = ', '.join(entry.name for entry in known_weights() if entry.kind == 'tracker')
        raise ValueError(
            f'weights are {weights!r}; allowed: auto, {trackers}, or the path of a file'
        ) from None


def _preferred_entry(backend: str) -> WeightsEntry:
    names = TRACKER_PREFERENCE['xmem' if backend == 'auto' else backend]
    entries = [find_entry(name) for name in names]
    return next((entry for entry in entries if locate(entry) is not None), entries[0])


def _entry_of_file(path: Path, backend: str) -> WeightsEntry:
    like = _like(path, backend)
    return WeightsEntry(
        name=path.stem,
        file=str(path.absolute()),
        kind='tracker',
        network=like.network,
        url=None,
        sha256=None,
        description=f'{path}',
        settings=like.settings,
        thresholds=like.thresholds,
    )


def _like(path: Path, backend: str) -> WeightsEntry:
    """Return the entry of the manifest whose network and settings a file is taken to have."""
    kinds = TRACKER_PREFERENCE if backend == 'auto' else (backend,)
    for entry in (find_entry(name) for kind in kinds for name in TRACKER_PREFERENCE[kind]):
        if entry.file == path.name:
            return entry
    if backend == 'cutie':
        return find_entry('cutie')
    return find_entry('compact' if path.suffix == '.safetensors' else 'xmem-s012')
