"""Find the sequences of a data set in the folders in which it comes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lazy_vos_ros.evaluation.benchmark.layouts import Layout
from lazy_vos_ros.evaluation.benchmark.layouts import layout_of
from lazy_vos_ros.evaluation.benchmark.layouts import listed_names
from lazy_vos_ros.evaluation.benchmark.layouts import sequence_folders
from lazy_vos_ros.evaluation.benchmark.layouts import split_folder
from lazy_vos_ros.evaluation.counts import counted
from lazy_vos_ros.evaluation.counts import plural
from lazy_vos_ros.evaluation.sources import image_files
from lazy_vos_ros.evaluation.sources import natural_key


@dataclass(frozen=True)
class SequenceFiles:
    """The files of one video; small, and the same in every process that sees the data."""

    name: str
    images: tuple[Path, ...]
    """In natural order of their names, whatever order the folder has."""
    annotations: tuple[Path | None, ...]
    """The label image of each frame; None where a frame has none."""

    @property
    def annotated(self) -> tuple[int, ...]:
        """Indices of the frames that have a label image, ascending."""
        return tuple(index for index, path in enumerate(self.annotations) if path is not None)


@dataclass(frozen=True)
class Dataset:
    """A data set, or the chosen part of it."""

    path: Path
    layout: Layout
    sequences: tuple[SequenceFiles, ...]
    """In natural order of their names."""

    @property
    def frames(self) -> int:
        """Frames of all sequences."""
        return sum(len(sequence.images) for sequence in self.sequences)


def open_dataset(
    path: Path, *, layout: str = 'auto', split: str | None = None, sequences: Sequence[str] = ()
) -> Dataset:
    """Find the sequences of a data set and pair images with annotations.

    Parameters
    ----------
    path
        Folder of the data set.
    layout
        A name of :data:`~lazy_vos_ros.evaluation.benchmark.layouts.LAYOUTS`, or ``auto``.
    split
        Part of the data set, such as ``val``; None: the layout's own choice.
    sequences
        Names to keep; empty: all.

    Raises
    ------
    ValueError
        If a folder or a chosen sequence is missing or empty, two files are of one frame, an
        annotation has no image, or a sequence has no annotation at all.
    """
    if not path.is_dir():
        why = 'is no folder' if path.exists() else 'does not exist'
        raise ValueError(f'{path} {why}; allowed: the folder of a data set')
    rules = layout_of(path, layout)
    root = split_folder(path.absolute(), rules, split)
    folders = sequence_folders(root)
    names = _chosen(folders, listed_names(root, rules, split), sequences)
    return Dataset(path, rules, tuple(_pair(name, *folders[name]) for name in names))


def _chosen(
    folders: dict[str, tuple[Path, Path]], listed: Sequence[str] | None, wanted: Sequence[str]
) -> list[str]:
    available = [name for name in folders if listed is None or name in listed]
    lacking = sorted(set(listed or ()) - folders.keys())
    if lacking and not wanted:
        raise ValueError(
            f'no folder of images for {counted(len(lacking), "listed sequence")}: '
            f'{", ".join(lacking[:5])}; '
            'allowed: a whole data set, or --sequences with those that are there'
        )
    unknown = [name for name in wanted if name not in available]
    if unknown:
        raise ValueError(
            f'the data set has no {plural(len(unknown), "sequence")} {", ".join(unknown)}; '
            + 'allowed: '
            + ', '.join(available[:10])
            + (', ...' if len(available) > 10 else '')
        )
    chosen = set(wanted or available)
    return sorted(chosen, key=lambda name: natural_key(Path(name)))


def _pair(name: str, images: Path, annotations: Path) -> SequenceFiles:
    pictures = image_files(images)
    _refuse_two_of_one_frame(pictures)
    if not annotations.is_dir():
        raise ValueError(
            f'sequence {name} has no folder {annotations}; allowed: label images for at least its '
            'first frame'
        )
    labels = {path.stem: path for path in image_files(annotations)}
    _refuse_two_of_one_frame(list(labels.values()))
    orphans = sorted(labels.keys() - {path.stem for path in pictures})
    if orphans:
        raise ValueError(
            f'no image for {counted(len(orphans), "annotation")} in {annotations}: '
            f'{", ".join(orphans[:3])}; allowed: the names of images'
        )
    return SequenceFiles(name, tuple(pictures), tuple(labels.get(path.stem) for path in pictures))


def _refuse_two_of_one_frame(paths: Sequence[Path]) -> None:
    """Raise ValueError if two names are of one number, such as 7.png and 0007.png."""
    seen: dict[object, Path] = {}
    for path in paths:
        key = tuple(
            number if numeric else text for numeric, number, text in natural_key(Path(path.stem))
        )
        if key in seen:
            raise ValueError(
                f'{path} and {seen[key].name} are of one frame; allowed: one file a frame'
            )
        seen[key] = path
