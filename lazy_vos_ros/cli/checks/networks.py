"""What the networks run on, and their weights."""

import os
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

from lazy_vos_ros.cli.checks.finding import Finding
from lazy_vos_ros.cli.checks.finding import ok
from lazy_vos_ros.cli.checks.finding import problem
from lazy_vos_ros.cli.checks.finding import warning

GIBIBYTE = 2**30
LITTLE = 2 * GIBIBYTE
"""Free accelerator memory below which a long run may not fit."""
DRIVER = Path('/proc/driver/nvidia/version')


def check_accelerator() -> Iterator[Finding]:
    """Look whether there is a device, and whether PyTorch can use it."""
    torch = import_module('torch')
    if not torch.cuda.is_available():
        cores = len(os.sched_getaffinity(0))
        if DRIVER.exists():
            words = f'an NVIDIA driver is here, but PyTorch {torch.__version__} cannot use it'
            mend = 'install a CUDA build of PyTorch that fits the driver (nvidia-smi tells it)'
            yield warning('accelerator', words, mend)
        else:
            words = f'none: PyTorch {torch.__version__} on {cores} CPU cores'
            yield ok('accelerator', words)
        return
    name = torch.cuda.get_device_name(0)
    try:
        torch.ones(8, device='cuda').sum().item()
        free, total = torch.cuda.mem_get_info(0)
    except RuntimeError as error:
        words = f'{name} fails: {str(error).splitlines()[0]}'
        yield problem('accelerator', words, 'look at nvidia-smi; until then use device:=cpu')
        return
    found = f'{name}, {free / GIBIBYTE:.1f} of {total / GIBIBYTE:.1f} GiB free'
    if free < LITTLE:
        yield warning('accelerator', found, 'end what else runs on it, or use device:=cpu')
    else:
        yield ok('accelerator', found)


def check_weights() -> Iterator[Finding]:
    """Compare every file of weights with its SHA-256, and say which the programs take."""
    weights = import_module('lazy_vos_ros.engine.weights')
    try:
        entries = weights.known_weights()
    except (RuntimeError, ValueError, TypeError) as error:
        yield problem('weights', f'manifest: {error}', 'install lazy_vos_ros again')
        return
    found: dict[str, list[str]] = {'tracker': [], 'refiner': []}
    for entry in entries:
        verdict, path = weights.verify(entry), weights.locate(entry)
        again = f'rm {path}, then: lazy-vos weights fetch {entry.name}'
        if entry.url is None:
            again = f'rm {path}, then install lazy_vos_ros again: they come with it'
        if verdict is weights.Verdict.WRONG:
            words = f'{path} is damaged or was replaced: its SHA-256 is another one'
            yield problem('weights', words, again)
        elif verdict is weights.Verdict.UNKNOWN:
            yield warning('weights', f'{path}: there is no SHA-256 to compare with', again)
        elif verdict is weights.Verdict.GENUINE:
            found[entry.kind].append(entry.name)
    for kind, names in found.items():
        if names:
            yield ok('weights', f'{kind}: {", ".join(names)}; SHA-256 as it must be')
        else:
            mend = 'lazy-vos weights list shows what can be fetched'
            yield problem('weights', f'none of a {kind} are here and genuine', mend)


def check_choice() -> Iterator[Finding]:
    """Say which tracker `auto` takes."""
    build = import_module('lazy_vos_ros.engine.build')
    try:
        entry = build.tracker_entry('auto')
        build.checked_path(entry)
    except (ValueError, RuntimeError) as error:
        yield problem('tracker', str(error), 'lazy-vos weights list shows what can be fetched')
        return
    if entry.network == 'compact':
        words = f'auto takes {entry.name}, which is small and less accurate than XMem'
        yield ok('tracker', f'{words} (lazy-vos weights fetch xmem-s012)')
    else:
        yield ok('tracker', f'auto takes {entry.name}')
