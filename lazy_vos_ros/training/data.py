"""The still images that clips are made of, packed once into flat arrays that processes share.

``python -m lazy_vos_ros.training.data --source DIR --cache DIR`` packs the sets named in
:data:`SETS`: ``DIR/<set>/{images,masks}`` or ``DIR/<set>.tar`` of the same form, and cut-outs with
an alpha channel in ``DIR/emoji3d``.
"""

import argparse
import json
import tarfile
from dataclasses import asdict
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

SETS = (
    'ecssd',
    'ccp',
    'coco_panoptic',
    'weizmann_horse',
    'human_seg',
    'bsds500',
    'camvid',
    'emoji3d',
)
HELD_OUT = 100
"""Last images of ECSSD by file name, kept for the click metric."""

Array = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Record:
    """Where one image lies in the flat arrays."""

    set: str
    name: str
    height: int
    width: int
    offset: int
    """Index of the first pixel."""
    labels: tuple[int, ...]
    """Instance indices in the mask, background left out."""


class StillImages:
    """Packed images and masks, read through memory maps."""

    def __init__(self, cache: Path) -> None:
        index = json.loads((cache / 'index.json').read_text())
        self.records = [Record(**{**r, 'labels': tuple(r['labels'])}) for r in index]
        self._images: Array = np.load(cache / 'images.npy', mmap_mode='r')
        self._masks: Array = np.load(cache / 'masks.npy', mmap_mode='r')

    def of_set(self, name: str, *, held_out: bool = False) -> list[Record]:
        """Return the records of one set; of ECSSD the training part or the held-out part."""
        records = sorted((r for r in self.records if r.set == name), key=lambda r: r.name)
        if name != 'ecssd':
            return [] if held_out else records
        return records[-HELD_OUT:] if held_out else records[:-HELD_OUT]

    def read(self, record: Record) -> tuple[Array, Array]:
        """Return the (H, W, 3) RGB image and the (H, W) mask of instance indices (or alpha)."""
        size = record.height * record.width
        image = self._images[record.offset * 3 : (record.offset + size) * 3]
        mask = self._masks[record.offset : record.offset + size]
        shape = (record.height, record.width)
        return image.reshape(*shape, 3), mask.reshape(shape)


def decode(image: bytes, mask: bytes | None) -> tuple[Array, Array]:
    """Decode an image and its indexed mask, or a cut-out whose alpha is the mask."""
    pixels = cv2.imdecode(np.frombuffer(image, np.uint8), cv2.IMREAD_UNCHANGED)
    if mask is None:
        return np.ascontiguousarray(pixels[..., 2::-1]), np.ascontiguousarray(pixels[..., 3])
    colour = cv2.imdecode(np.frombuffer(image, np.uint8), cv2.IMREAD_COLOR)
    return cv2.cvtColor(colour, cv2.COLOR_BGR2RGB), decode_indices(mask)


def decode_indices(data: bytes) -> Array:
    """Return the (H, W) grey values of a PNG mask, or its palette indices."""
    return np.asarray(Image.open(BytesIO(data)), dtype=np.uint8)


def files_of(source: Path, name: str) -> dict[str, bytes]:
    """Read all files of one set, from a folder or from a tar file; keys are relative paths."""
    archive = source / f'{name}.tar'
    if archive.is_file():
        with tarfile.open(archive) as tar:
            members = [m for m in tar.getmembers() if m.isfile()]
            return {m.name.removeprefix('./'): tar.extractfile(m).read() for m in members}
    folder = source / name
    if not folder.is_dir():
        raise ValueError(f'no training set {name} in {source}; allowed: {name}/ or {name}.tar')
    return {f'{name}/{p.relative_to(folder)}': p.read_bytes() for p in folder.rglob('*.*')}


def pairs_of(files: dict[str, bytes], name: str) -> list[tuple[str, bytes, bytes | None]]:
    """Return (stem, image, mask) of one set, sorted by stem; cut-outs have no mask file."""
    if name == 'emoji3d':
        return sorted((Path(p).stem, data, None) for p, data in files.items())
    masks = {Path(p).stem: d for p, d in files.items() if Path(p).parent.name == 'masks'}
    images = {Path(p).stem: d for p, d in files.items() if Path(p).parent.name == 'images'}
    return [(stem, images[stem], masks[stem]) for stem in sorted(images) if stem in masks]


def pack(source: Path, cache: Path, sets: tuple[str, ...] = SETS) -> None:
    """Write ``images.npy``, ``masks.npy`` and ``index.json`` into `cache`."""
    records: list[Record] = []
    images: list[Array] = []
    masks: list[Array] = []
    offset = 0
    for name in sets:
        for stem, image_data, mask_data in pairs_of(files_of(source, name), name):
            image, mask = decode(image_data, mask_data)
            labels = (255,) if name == 'emoji3d' else tuple(int(v) for v in np.unique(mask) if v)
            records.append(Record(name, stem, *mask.shape, offset, labels))
            images.append(image.reshape(-1))
            masks.append(mask.reshape(-1))
            offset += mask.size
    cache.mkdir(parents=True, exist_ok=True)
    np.save(cache / 'images.npy', np.concatenate(images))
    np.save(cache / 'masks.npy', np.concatenate(masks))
    (cache / 'index.json').write_text(json.dumps([asdict(r) for r in records]))


if __name__ == '__main__':
    parser = argparse.ArgumentParser(description='Pack the training images.')
    parser.add_argument('--source', type=Path, required=True)
    parser.add_argument('--cache', type=Path, required=True)
    arguments = parser.parse_args()
    pack(arguments.source, arguments.cache)
