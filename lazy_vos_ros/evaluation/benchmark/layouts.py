"""The folders in which the known data sets come, and what is known of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lazy_vos_ros.evaluation.sources import DEFAULT_FPS
from lazy_vos_ros.evaluation.sources import IMAGE_SUFFIXES

IMAGES = 'JPEGImages'
ANNOTATIONS = 'Annotations'
RESOLUTIONS = ('480p', '1080p', 'Full-Resolution')
"""Folders between `JPEGImages` and the sequences, in DAVIS; the first that is there is read."""


@dataclass(frozen=True)
class Layout:
    """What is known of a data set by its name."""

    name: str
    fps: float
    """Frames per second of its videos."""
    merge_objects: bool = False
    """Whether all labels are one object."""
    lists: tuple[str, ...] = ()
    """Folders with `<split>.txt`, each line a sequence; the first that is there is read."""
    split: str | None = None
    """Split that is read if none is named."""
    images_together: bool = True
    """Whether all sequences must be in one folder `JPEGImages`."""


LAYOUTS = {
    layout.name: layout
    for layout in (
        Layout('davis', 24.0, images_together=False),
        Layout('davis2016', 24.0, True, lists=('ImageSets/2016', 'ImageSets/480p'), split='val'),
        Layout('davis2017', 24.0, lists=('ImageSets/2017',), split='val'),
        Layout('lvos', 6.0, split='val'),
        Layout('lvos2', 6.0, split='val'),
        Layout('longvideos', DEFAULT_FPS),
        Layout('folders', DEFAULT_FPS, images_together=False),
    )
}
"""Known layouts. The rate of Long Videos is not published; it is that of unknown folders."""


def layout_of(path: Path, name: str) -> Layout:
    """Return the layout of this name, or, for ``auto``, the one that the folder looks like.

    Raises
    ------
    ValueError
        If the name is unknown.
    """
    if name in LAYOUTS:
        return LAYOUTS[name]
    if name != 'auto':
        raise ValueError(f'layout is {name!r}; allowed: auto, {", ".join(LAYOUTS)}')
    if any((path / IMAGES / resolution).is_dir() for resolution in RESOLUTIONS):
        for guess in ('davis2017', 'davis2016'):
            if any((path / lists).is_dir() for lists in LAYOUTS[guess].lists):
                return LAYOUTS[guess]
        return LAYOUTS['davis']
    if any(path.glob('*_meta.json')) or any(path.glob(f'*/{IMAGES}/../*_meta.json')):
        return LAYOUTS['lvos']
    return LAYOUTS['folders']


def split_folder(path: Path, layout: Layout, split: str | None) -> Path:
    """Return the folder of a split where the data set has one for each, else `path`.

    Raises
    ------
    ValueError
        If a split was named that is neither a folder nor a list, or the folder does not look
        like the layout.
    """
    name = split or layout.split
    if name is not None and (path / name / IMAGES).is_dir():
        return path / name
    if layout.images_together and not (path / IMAGES).is_dir():
        raise ValueError(
            f'{path} has no folder {IMAGES}, as the layout {layout.name} has; allowed: such a '
            'data set, or --layout auto, which looks what it is'
        )
    if split is not None and not any(
        (path / at / f'{split}.txt').is_file() for at in layout.lists
    ):
        folders = ', '.join((f'{split}/{IMAGES}', *(f'{at}/{split}.txt' for at in layout.lists)))
        raise ValueError(f'{path} has no split {split!r}; allowed: one for which it has {folders}')
    return path


def listed_names(root: Path, layout: Layout, split: str | None) -> Sequence[str] | None:
    """Return the sequences of a split; None where the layout has no lists.

    Raises
    ------
    ValueError
        If the layout has lists, but none is there: all sequences would not be what is asked for.
    """
    name = split or layout.split
    for folder in layout.lists:
        path = root / folder / f'{name}.txt'
        if path.is_file():
            lines = [line.split() for line in path.read_text().splitlines() if line.strip()]
            return sorted({_sequence_in(words[0]) for words in lines})
    if layout.lists:
        files = ' or '.join(f'{folder}/{name}.txt' for folder in layout.lists)
        raise ValueError(
            f'{root} has no list {files}, as the layout {layout.name} has; allowed: such a data '
            'set, or --layout davis for one without lists'
        )
    return None


def _sequence_in(word: str) -> str:
    """Return the sequence of a line: its name, or the path of a frame as DAVIS-2016 has it."""
    return Path(word).parent.name if '/' in word else word


def sequence_folders(root: Path) -> dict[str, tuple[Path, Path]]:
    """Return the folders of images and of annotations of each sequence, by name.

    Four forms are known: `JPEGImages/<resolution>/<sequence>`, `JPEGImages/<sequence>`,
    `<sequence>/JPEGImages`, and images directly in `JPEGImages`, which is one sequence.

    Raises
    ------
    ValueError
        If there is no sequence.
    """
    whole = root / IMAGES
    for resolution in RESOLUTIONS:
        if (whole / resolution).is_dir():
            return _by_name(whole / resolution, root / ANNOTATIONS / resolution)
    if whole.is_dir() and _has_images(whole):
        return {root.resolve().name: (whole, root / ANNOTATIONS)}
    if whole.is_dir():
        return _by_name(whole, root / ANNOTATIONS)
    found = {
        folder.name: (folder / IMAGES, folder / ANNOTATIONS)
        for folder in sorted(root.iterdir())
        if (folder / IMAGES).is_dir()
    }
    return _not_empty(found, root)


def _by_name(images: Path, annotations: Path) -> dict[str, tuple[Path, Path]]:
    folders = [folder for folder in sorted(images.iterdir()) if folder.is_dir()]
    return _not_empty({item.name: (item, annotations / item.name) for item in folders}, images)


def _not_empty(found: dict[str, tuple[Path, Path]], where: Path) -> dict[str, tuple[Path, Path]]:
    if not found:
        raise ValueError(
            f'{where} has no sequence; allowed: {IMAGES}/480p/<sequence>, {IMAGES}/<sequence>, '
            f'<sequence>/{IMAGES}, or images in {IMAGES}'
        )
    return found


def _has_images(folder: Path) -> bool:
    return any(path.suffix.lower() in IMAGE_SUFFIXES for path in folder.iterdir())
