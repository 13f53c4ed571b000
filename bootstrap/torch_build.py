"""PyTorch: the one dependency whose right build depends on the machine."""

import os
import platform
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from bootstrap.commands import Commands
from bootstrap.console import Console
from bootstrap.errors import SetupError
from bootstrap.layout import Layout
from bootstrap.packages import run_pip
from bootstrap.pythons import answers
from bootstrap.venv import pip
from bootstrap.venv import remove_fragments

VERSION = '2.13.0'
OLDEST = (2, 2)
CPU_INDEX = 'https://download.pytorch.org/whl/cpu'
CPU_SIZE = 'about 200 MB'
CUDA_SIZE = 'about 3 GB'

INSTALLED = f"""
import importlib.metadata as metadata
major, minor = map(int, metadata.version('torch').split('.')[:2])
assert {OLDEST} <= (major, minor) < (3, 0)
"""


def wanted_build(env: Mapping[str, str]) -> str:
    """Return 'cpu' or 'cuda': what LAZY_VOS_TORCH asks for, else what the machine can use.

    :raises SetupError: LAZY_VOS_TORCH is neither.
    """
    asked = env.get('LAZY_VOS_TORCH', '')
    if asked not in ('', 'cpu', 'cuda'):
        raise SetupError(f"LAZY_VOS_TORCH is '{asked}'; allowed are cpu and cuda.")
    return asked or ('cuda' if has_nvidia_gpu() else 'cpu')


def has_nvidia_gpu() -> bool:
    """Whether an NVIDIA driver lists a GPU."""
    program = shutil.which('nvidia-smi')
    if program is None:
        return any(Path('/proc/driver/nvidia/gpus').glob('*'))
    try:
        listed = subprocess.run([program, '-L'], capture_output=True, check=False, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return listed.returncode == 0 and b'GPU' in listed.stdout


def install_torch(
    commands: Commands, layout: Layout, env: Mapping[str, str], console: Console
) -> str:
    """Install a build of torch that fits the machine, unless one is there.

    :raises SetupError: it cannot be had.
    """
    remove_fragments(layout)
    if answers(layout.python, INSTALLED, env):
        return 'kept the installed one'
    if wanted_build(env) == 'cuda':
        console.say(f'an NVIDIA GPU: the CUDA build of torch is {CUDA_SIZE} to download')
        run_pip(commands, pip(layout, 'install', f'torch=={VERSION}'), env, _progress)
        return f'torch {VERSION}, CUDA build'
    return _install_cpu_build(commands, layout, env, console)


def _install_cpu_build(
    commands: Commands, layout: Layout, env: Mapping[str, str], console: Console
) -> str:
    install = ['install', '--no-deps', f'torch=={VERSION}{cpu_suffix(platform.machine())}']
    # a wheel that pip's find-links offers comes before any download
    local = pip(layout, *install, '--no-index')
    if commands.status(local, env=env, progress=_progress) == 0:
        return f'torch {VERSION}, CPU build, from the wheels at hand'
    console.say(f'no NVIDIA GPU: the CPU build of torch is {CPU_SIZE} to download')
    remote = pip(layout, *install, '--index-url', CPU_INDEX)
    try:
        run_pip(commands, remote, env, _progress)
    except SetupError as error:
        raise SetupError(f'the CPU build of torch: {error}', _advice(layout)) from error
    return f'torch {VERSION}, CPU build'


def cpu_suffix(machine: str) -> str:
    """Return what tells the CPU build's version from the CUDA build's, which has the same number.

    Without it, an index of the user's own could slip the CUDA build in.
    """
    return '+cpu' if machine == 'x86_64' else ''


def _advice(layout: Layout) -> str:
    python = os.path.relpath(layout.python, layout.root)
    return (
        f'Check that {CPU_INDEX} can be reached, or put a wheel of torch {VERSION} into a folder '
        f'and name it in PIP_FIND_LINKS, or install torch yourself with {python} -m pip, '
        f'or take the CUDA build ({CUDA_SIZE}) with LAZY_VOS_TORCH=cuda.'
    )


def _progress(text: str) -> str:
    return 'unpacking' if 'Installing collected packages' in text else 'downloading'
