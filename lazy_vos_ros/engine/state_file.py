"""A file with all that a tracker knows, so that another process goes on with the same objects.

It is one safetensors file, which cannot run code: the memories as tensors, everything else as
JSON in its header, with a version.
"""

import json
import os
import tempfile
from pathlib import Path

from safetensors import SafetensorError
from safetensors import safe_open
from safetensors.torch import save_file

from lazy_vos_ros.engine.backend import Backend
from lazy_vos_ros.engine.results import CorrectionEvent
from lazy_vos_ros.engine.saved_objects import savable
from lazy_vos_ros.engine.tracker import LazyTracker

VERSION = 1
_KEY = 'lazy_vos_ros state'


def save_state(tracker: LazyTracker, backend: Backend, path: Path) -> None:
    """Write the state; a file that was there before is replaced whole or not at all.

    Raises
    ------
    ValueError
        If this backend cannot be saved.
    OSError
        If the file cannot be written.
    """
    tensors, facts = tracker.contents()
    header = {
        'version': VERSION,
        'name': backend.name,
        'fingerprint': savable(backend).fingerprint,
        'tracker': facts,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    # Readable by its owner only: the memory is made of what the camera saw.
    handle, name = tempfile.mkstemp(prefix=f'.{path.name}.', dir=path.parent)
    partial = Path(name)
    try:
        os.close(handle)
        save_file(tensors, partial, metadata={_KEY: json.dumps(header, allow_nan=False)})
        partial.replace(path)
    except SafetensorError as error:
        raise OSError(f'{path} cannot be written: {error}') from error
    finally:
        partial.unlink(missing_ok=True)


def load_state(tracker: LazyTracker, backend: Backend, path: Path) -> tuple[CorrectionEvent, ...]:
    """Forget everything and go on from a file; return the events of what was forgotten.

    Raises
    ------
    ValueError
        If it is no such file, of another version, of another network or other settings, or
        damaged; the tracker is then as before.
    OSError
        If it cannot be read.
    """
    if not path.is_file():
        raise FileNotFoundError(f'{path} does not exist')
    try:
        with safe_open(path, framework='pt', device='cpu') as file:
            header = json.loads((file.metadata() or {}).get(_KEY, 'null'))
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, ValueError, RecursionError) as error:
        raise ValueError(f'{path} is no file of a state: {error}') from error
    if not isinstance(header, dict) or 'version' not in header:
        raise ValueError(f'{path} is no file of a state; allowed: one of save_state')
    if header['version'] != VERSION:
        raise ValueError(f'{path} is of version {header["version"]!r}; allowed: {VERSION}')
    if header.get('fingerprint') != savable(backend).fingerprint:
        raise ValueError(
            f'{path} is of {header.get("name")!r}; allowed: one of {backend.name!r} with the same '
            'weights and settings'
        )
    try:
        return tracker.take(tensors, header['tracker'])
    except (KeyError, TypeError, AttributeError, IndexError, RuntimeError, ValueError) as error:
        reason = f'{type(error).__name__}: {error}'
        raise ValueError(f'{path} is damaged: {reason}') from error
