"""One training of the compact model: pack the images, train tracker and refiner, export both."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from lazy_vos_ros.engine.xmem.network import XMemNetwork
from lazy_vos_ros.training.data import pack
from lazy_vos_ros.training.export import export_refiner
from lazy_vos_ros.training.export import export_tracker
from lazy_vos_ros.training.settings import TrainSettings
from lazy_vos_ros.training.train_refiner import train_refiner
from lazy_vos_ros.training.train_tracker import new_network
from lazy_vos_ros.training.train_tracker import train_tracker

Report = Callable[[dict[str, Any]], None]
PARTS = ('tracker', 'refiner')


def main(
    settings: TrainSettings,
    *,
    source: Path | None = None,
    parts: tuple[str, ...] = PARTS,
    report: Report | None = None,
) -> list[Path]:
    """Train the named parts and return the files written to ``settings.out``.

    Parameters
    ----------
    settings
        All settings; a run that was interrupted goes on from its last checkpoint.
    source
        Folder of the still images, packed into ``settings.cache`` unless that is done already.
    parts
        Of :data:`PARTS`; the refiner needs the tracker's checkpoint.
    report
        Called with the values of every line of the log.

    Raises
    ------
    ValueError
        If a part is unknown, or images or checkpoint are missing.
    """
    unknown = sorted(set(parts) - set(PARTS))
    if unknown or not parts:
        raise ValueError(f'parts are {list(parts)}; allowed: one or more of {list(PARTS)}')
    _prepare_images(settings, source)
    settings.out.mkdir(parents=True, exist_ok=True)
    written = []
    if 'tracker' in parts:
        train_tracker(settings, report)
        written.append(settings.out / 'compact_tracker.safetensors')
        export_tracker([settings.out / 'tracker.ckpt'], written[-1])
    if 'refiner' in parts:
        train_refiner(settings, _trained(settings).key_encoder, report)
        written.append(settings.out / 'compact_refiner.safetensors')
        export_refiner(settings.out / 'refiner.ckpt', written[-1])
    _note_settings(settings)
    return written


def _prepare_images(settings: TrainSettings, source: Path | None) -> None:
    if (settings.cache / 'index.json').is_file():
        return
    if source is None:
        raise ValueError(f'no packed images in {settings.cache}; name their source folder')
    pack(source, settings.cache)


def _trained(settings: TrainSettings) -> XMemNetwork:
    path = settings.out / 'tracker.ckpt'
    if not path.is_file():
        raise ValueError(f'{path} is missing; train the tracker first')
    network = new_network(settings)
    network.load_state_dict(torch.load(path, map_location='cpu', weights_only=True)['model'])
    return network


def _note_settings(settings: TrainSettings) -> None:
    values = {name: str(value) for name, value in vars(settings).items()}
    (settings.out / 'settings.json').write_text(json.dumps(values, indent=2))
