"""On what machine a measurement was made."""

from __future__ import annotations

import os
import platform
from pathlib import Path

import torch

Facts = dict[str, 'str | int | float']


def machine_facts(device: torch.device) -> Facts:
    """Return what decides the speed: processor, memory, accelerator, versions."""
    facts: Facts = {
        'processor': processor(),
        'cores': usable_cores(),
        'memory (GiB)': round(os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE') / 2**30, 1),
        'system': f'{platform.system()} {platform.machine()}',
        'python': platform.python_version(),
        'torch': torch.__version__,
        'instructions': torch.backends.cpu.get_cpu_capability(),
        'device': str(device),
    }
    if device.type == 'cuda':
        facts['accelerator'] = torch.cuda.get_device_name(device)
    return facts


def processor() -> str:
    """Return the name of the processor."""
    try:
        lines = Path('/proc/cpuinfo').read_text().splitlines()
    except OSError:
        lines = []
    names = (line.partition(':')[2].strip() for line in lines if line.startswith('model name'))
    return next(names, platform.processor() or platform.machine())


def usable_cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, 'sched_getaffinity'):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
