"""Refiners turn clicks on one image into a mask.

A network is imported only when it is built, because its packages may be absent and are slow.
"""

from lazy_vos_ros.engine.backend import Backend
from lazy_vos_ros.engine.refiners.base import Refiner
from lazy_vos_ros.engine.weights import WeightsEntry
from lazy_vos_ros.engine.weights import checked_path
from lazy_vos_ros.engine.weights import known_weights
from lazy_vos_ros.engine.weights import locate

_SAM_HQ = 'sam_hq_'
_ON_GPU = ('sam_hq_vit_l', 'sam_hq_vit_h', 'sam_hq_vit_b', 'sam_hq_vit_tiny', 'compact')
_ON_CPU = ('sam_hq_vit_tiny', 'sam_hq_vit_b', 'sam_hq_vit_l', 'sam_hq_vit_h', 'compact')


def make_refiner(name: str = 'auto', *, backend: Backend, device: str = 'auto') -> Refiner:
    """Build a refiner; its name says which network and file it runs on.

    Parameters
    ----------
    name
        ``sam-hq-tiny``, ``-b``, ``-l`` or ``-h``, ``compact-refiner``; that of their network, as
        ``compact``; or ``auto``: SAM-HQ if weights of it are present (on a GPU the paper's ViT-L
        first, on a CPU the smallest first), else the compact one.
    backend
        The tracker that it works with; the compact one shares its encoder.
    device
        Where SAM-HQ runs; ``auto``: where the tracker runs.

    Raises
    ------
    ValueError
        If the name is unknown, or the file is damaged or not what it should be.
    RuntimeError
        If the weights or a package that they need are not on this machine.
    """
    entry = refiner_entry(name, on_gpu=backend.device.type != 'cpu')
    path = checked_path(entry)
    if entry.network.startswith(_SAM_HQ):
        from lazy_vos_ros.engine.refiners.sam_hq import SamHqRefiner

        where = backend.device if device == 'auto' else device
        return SamHqRefiner.load(path, entry.network.removeprefix(_SAM_HQ), device=where)
    from lazy_vos_ros.engine.refiners.compact import CompactRefiner

    return CompactRefiner.load(path, backend)


def refiner_entry(name: str, *, on_gpu: bool) -> WeightsEntry:
    """Return the entry of the manifest that a name of :func:`make_refiner` means."""
    entries = {entry.network: entry for entry in known_weights() if entry.kind == 'refiner'}
    if name == 'auto':
        preference = [
            network for network in (_ON_GPU if on_gpu else _ON_CPU) if network in entries
        ]
        present = [network for network in preference if locate(entries[network]) is not None]
        return entries[(present or preference)[0]]
    for network, entry in entries.items():
        if name in (network, entry.name):
            return entry
    names = ', '.join(entry.name for entry in entries.values())
    raise ValueError(f'refiner is {name!r}; allowed: auto, {names}')
