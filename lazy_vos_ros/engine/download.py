"""Fetch weights: into a temporary file, checked, then moved into place."""

import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

from lazy_vos_ros.engine.weights import WeightsEntry
from lazy_vos_ros.engine.weights import pin
from lazy_vos_ros.engine.weights import read_pins
from lazy_vos_ros.engine.weights import search_folders
from lazy_vos_ros.engine.weights import sha256_of

_CHUNK = 1 << 20
_TIMEOUT_S = 30.0

Progress = Callable[[int, int | None], None]
"""Called with the bytes received and, if the server says it, the bytes in all."""


def fetch(
    entry: WeightsEntry, folder: Path | None = None, progress: Progress | None = None
) -> tuple[Path, str]:
    """Download the file of an entry; return where it lies and its SHA-256.

    An interrupted download leaves nothing behind and starts anew the next time. Where the
    manifest has no SHA-256, that of the first download is noted beside the file and later
    downloads must equal it.

    Raises
    ------
    ValueError
        If the entry has no address.
    RuntimeError
        If the server does not give the file, or gives another one than expected; a file that
        was there before is left as it was.
    """
    if entry.url is None:
        raise ValueError(f'weights {entry.name} come with the project and have no address')
    target = (folder or _writable_folder()) / entry.file
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f'.{entry.file}.', dir=target.parent)
    partial = Path(name)
    try:
        with os.fdopen(handle, 'wb') as file:
            _download(entry.url, file, progress)
        sha256 = _checked(entry, partial, target)
        partial.chmod(0o644)
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)
    pin(target, sha256)
    return target, sha256


def _download(url: str, file: Any, progress: Progress | None) -> None:
    try:
        with urlopen(url, timeout=_TIMEOUT_S) as response:
            length = response.headers.get('Content-Length')
            total = int(length) if length else None
            received = 0
            while chunk := response.read(_CHUNK):
                file.write(chunk)
                received += len(chunk)
                if progress is not None:
                    progress(received, total)
    except (URLError, TimeoutError, ConnectionError) as error:
        raise RuntimeError(f'{url} cannot be fetched: {error}') from error
    if total is not None and received != total:
        raise RuntimeError(f'{url} ended after {received} of {total} bytes')


def _checked(entry: WeightsEntry, partial: Path, target: Path) -> str:
    sha256 = sha256_of(partial)
    expected = entry.sha256 or read_pins(target.parent).get(entry.file)
    if expected is not None and sha256 != expected:
        raise RuntimeError(
            f'{entry.url} has the SHA-256 {sha256}; expected {expected}; it was not kept'
        )
    return sha256


def _writable_folder() -> Path:
    for folder in search_folders():
        existing = next(f for f in (folder, *folder.parents) if f.is_dir())
        if os.access(existing, os.W_OK) and shutil.disk_usage(existing).free:
            return folder
    raise RuntimeError(
        'no folder for weights can be written; set LAZY_VOS_WEIGHTS to one that can'
    )
