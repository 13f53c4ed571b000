"""Which weights exist, where they lie, whether they are what they should be.

Weights are looked for in this order: the folder that LAZY_VOS_WEIGHTS names, `weights/` of the
sources or of the installed package, the user's cache. :func:`fetch` writes into the first of them
that can be written.
"""

import hashlib
import json
import os
import sys
from collections.abc import Iterator
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

_PACKAGE = 'lazy_vos_ros'
_MANIFEST = 'manifest.json'
_PINS = 'fetched.json'
_CHUNK = 1 << 20
_SHOWN = 3
_SHOWN_DIGITS = 12


@dataclass(frozen=True)
class WeightsEntry:
    """One line of the manifest."""

    name: str
    file: str
    kind: str
    """``tracker`` or ``refiner``."""
    network: str
    """``official``, ``compact``, ``sam_hq_vit_tiny`` and so on."""
    url: str | None
    """Where it can be fetched; None for weights that come with the project."""
    sha256: str | None
    """None where the makers published none."""
    description: str
    settings: Mapping[str, Any]
    """Settings of the network that suit these weights, by field name."""
    thresholds: Mapping[str, Any]
    """Settings of the lazy layer that suit these weights, by field name."""


class Verdict(Enum):
    """What a check of a file says."""

    GENUINE = 'genuine'
    """Its SHA-256 is the expected one."""
    UNKNOWN = 'unknown'
    """There is no SHA-256 to compare with."""
    WRONG = 'wrong'
    """Its SHA-256 is another one: damaged or replaced."""
    ABSENT = 'absent'
    """It is not there."""


def known_weights() -> tuple[WeightsEntry, ...]:
    """Return all weights of the manifest.

    Raises
    ------
    RuntimeError
        If the manifest is not found or is damaged, so the package is not installed completely.
    """
    for folder in _package_folders():
        path = folder / _MANIFEST
        if path.is_file():
            return _read_manifest(path)
    raise RuntimeError(f'{_MANIFEST} of {_PACKAGE} is not found; source the setup of its build')


def find_entry(name: str) -> WeightsEntry:
    """Return the entry with this name or file name.

    Raises
    ------
    ValueError
        Naming all known weights.
    """
    entries = known_weights()
    for entry in entries:
        if name in (entry.name, entry.file):
            return entry
    known = ', '.join(entry.name for entry in entries)
    raise ValueError(f'weights are {name!r}; allowed: {known}')


def search_folders() -> tuple[Path, ...]:
    """Return the folders in which weights are looked for, in order."""
    folders = []
    if os.environ.get('LAZY_VOS_WEIGHTS'):
        folders.append(Path(os.environ['LAZY_VOS_WEIGHTS']).expanduser())
    cache = os.environ.get('XDG_CACHE_HOME') or Path.home() / '.cache'
    return (*folders, *_package_folders(), Path(cache) / _PACKAGE / 'weights')


def locate(entry: WeightsEntry) -> Path | None:
    """Return where the file of an entry lies, None if it is nowhere."""
    for folder in search_folders():
        if (folder / entry.file).is_file():
            return folder / entry.file
    return None


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file as 64 hexadecimal digits."""
    digest = hashlib.sha256()
    with path.open('rb') as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def title_of(path: Path) -> str:
    """Return the name of a file of weights with the beginning of its SHA-256, for people.

    Files of different training runs have one name; only the SHA-256 tells them apart.
    """
    return f'{path.name}, SHA-256 {sha256_of(path)[:_SHOWN_DIGITS]}'


def expected_sha256(entry: WeightsEntry) -> str | None:
    """Return the SHA-256 of the manifest, else that noted when the file was fetched, else None."""
    if entry.sha256 is not None:
        return entry.sha256
    path = locate(entry)
    return None if path is None else read_pins(path.parent).get(entry.file)


def verify(entry: WeightsEntry) -> Verdict:
    """Compare the file of an entry with what is known of it."""
    path = locate(entry)
    if path is None:
        return Verdict.ABSENT
    expected = expected_sha256(entry)
    if expected is None:
        return Verdict.UNKNOWN
    return Verdict.GENUINE if sha256_of(path) == expected else Verdict.WRONG


def checked_path(entry: WeightsEntry) -> Path:
    """Return where the file of an entry lies, after comparing it with what is known of it.

    Raises
    ------
    RuntimeError
        If it is not on this machine; the message says how to fetch it.
    ValueError
        If its SHA-256 is not the expected one.
    """
    path = locate(entry)
    if path is None:
        folders = ', '.join(str(folder) for folder in search_folders())
        raise RuntimeError(
            f'weights {entry.file} are not in {folders}; fetch them with: '
            f'lazy-vos weights fetch {entry.name}'
        )
    if verify(entry) is Verdict.WRONG:
        raise ValueError(
            f'{path} has another SHA-256 than expected: it is damaged or was replaced; fetch it '
            f'again with: lazy-vos weights fetch {entry.name}'
        )
    return path


def read_pins(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of the files that were fetched into a folder, by file name.

    Raises
    ------
    ValueError
        If the list of them is damaged.
    """
    path = folder / _PINS
    if not path.is_file():
        return {}
    try:
        pins = json.loads(path.read_text())
    except (ValueError, RecursionError) as error:
        raise ValueError(f'{path} is damaged: {error}; fetch the weights again') from None
    if not isinstance(pins, dict) or not all(isinstance(pin, str) for pin in pins.values()):
        raise ValueError(f'{path} is damaged; allowed: SHA-256 by file name')
    return pins


def pin(path: Path, sha256: str) -> None:
    """Note the SHA-256 of a fetched file beside it."""
    pins = {**read_pins(path.parent), path.name: sha256}
    (path.parent / _PINS).write_text(json.dumps(pins, indent=2) + '\n')


def read_state(path: Path) -> dict[str, torch.Tensor]:
    """Read the entries of a ``.safetensors`` or ``.pth`` file onto the CPU.

    A ``.pth`` file is unpickled without running any code of it.

    Raises
    ------
    ValueError
        If the file is damaged, holds something else than named tensors, or would run code.
    """
    try:
        state = load_file(path) if path.suffix == '.safetensors' else _read_pickle(path)
    except OSError:
        raise
    except Exception as error:  # torch raises whatever a damaged archive makes it run into
        raise ValueError(f'{path} is no readable file of weights: {_reason(error)}') from error
    if not isinstance(state, dict) or not all(
        isinstance(name, str) and isinstance(tensor, torch.Tensor)
        for name, tensor in state.items()
    ):
        raise ValueError(f'{path} does not hold named tensors and nothing else')
    return dict(state)


def check_entries(
    path: Path, wanted: Mapping[str, torch.Tensor], found: Mapping[str, torch.Tensor]
) -> None:
    """Raise ValueError that names the first entries by which a file differs from a network.

    Missing and unexpected names, shapes that differ, and values that are not finite.
    """
    common = wanted.keys() & found.keys()
    shapes = {
        f'{name} {tuple(found[name].shape)} instead of {tuple(wanted[name].shape)}'
        for name in common
        if found[name].shape != wanted[name].shape
    }
    faults = {
        'missing': wanted.keys() - found.keys(),
        'unexpected': found.keys() - wanted.keys(),
        'of other shape': shapes,
        'not finite': {name for name in common if not found[name].isfinite().all()},
    }
    texts = [
        f'{len(names)} {fault}: {", ".join(sorted(names)[:_SHOWN])}'
        + (', ...' if len(names) > _SHOWN else '')
        for fault, names in faults.items()
        if names
    ]
    if texts:
        raise ValueError(f'{path} does not fit the network; entries ' + '; '.join(texts))


def _read_manifest(path: Path) -> tuple[WeightsEntry, ...]:
    try:
        return tuple(WeightsEntry(**entry) for entry in json.loads(path.read_text()))
    except (ValueError, TypeError, RecursionError) as error:
        raise RuntimeError(f'{path} is damaged: {error}; install {_PACKAGE} again') from None


def _read_pickle(path: Path) -> Any:
    return torch.load(path, map_location='cpu', weights_only=True)


def _reason(error: Exception) -> str:
    # what pickle says is of no use, or advises to run the code of the file after all
    if isinstance(error, RuntimeError | ValueError | SafetensorError):
        return str(error).strip().split('\n')[0]
    return 'it is cut off, damaged, or holds more than tensors; no code of it was run'


def _package_folders() -> Iterator[Path]:
    sources = Path(__file__).resolve().parents[2]
    if (sources / 'package.xml').is_file():
        yield sources / 'weights'
    prefixes = [*os.environ.get('AMENT_PREFIX_PATH', '').split(os.pathsep), sys.prefix]
    for prefix in prefixes:
        if prefix and (Path(prefix) / 'share' / _PACKAGE).is_dir():
            yield Path(prefix) / 'share' / _PACKAGE / 'weights'
