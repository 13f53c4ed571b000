import pytest

from bootstrap import torch_build
from bootstrap.commands import Commands
from bootstrap.errors import SetupError
from bootstrap.torch_build import CPU_INDEX
from bootstrap.torch_build import cpu_suffix
from bootstrap.torch_build import has_nvidia_gpu
from bootstrap.torch_build import install_torch
from bootstrap.torch_build import wanted_build


@pytest.fixture
def commands(tmp_path):
    return Commands(tmp_path / 'log', lambda _: None)


@pytest.fixture
def pip(layout, monkeypatch):
    """Return a function that puts in a stand-in for the environment's Python."""
    monkeypatch.setattr(torch_build.platform, 'machine', lambda: 'x86_64')
    (layout.venv / 'lib' / 'python3.11' / 'site-packages').mkdir(parents=True)

    def write(pip_does, *, installed=False):
        layout.python.parent.mkdir(parents=True, exist_ok=True)
        asked = f'[ "$1" = -c ] && exit {0 if installed else 1}'
        layout.python.write_text(f'#!/bin/sh\n{asked}\n{pip_does}\n')
        layout.python.chmod(0o755)

    return write


@pytest.fixture
def no_gpu(monkeypatch):
    monkeypatch.setattr(torch_build, 'has_nvidia_gpu', lambda: False)


@pytest.fixture
def gpu(monkeypatch):
    monkeypatch.setattr(torch_build, 'has_nvidia_gpu', lambda: True)


def calls(commands):
    return [line for line in commands.text().splitlines() if line.startswith('$ ')]


@pytest.mark.parametrize(
    ('program_does', 'found'),
    [('echo "GPU 0: any"', True), ('exit 0', False), ('echo GPU; exit 9', False)],
)
def test_gpu_is_one_that_the_driver_lists(monkeypatch, program, program_does, found):
    smi = program('nvidia-smi', program_does)
    monkeypatch.setenv('PATH', f'{smi.parent}:/usr/bin:/bin')
    assert has_nvidia_gpu() is found


def test_machine_chooses_the_build(monkeypatch):
    for gpu, build in ((True, 'cuda'), (False, 'cpu')):
        monkeypatch.setattr(torch_build, 'has_nvidia_gpu', lambda gpu=gpu: gpu)
        assert wanted_build({}) == build


@pytest.mark.parametrize('asked', ['cpu', 'cuda'])
def test_wish_comes_before_the_machine(no_gpu, asked):
    assert wanted_build({'LAZY_VOS_TORCH': asked}) == asked


def test_other_wish_is_refused(no_gpu):
    with pytest.raises(SetupError, match=r"'rocm'.*cpu and cuda"):
        wanted_build({'LAZY_VOS_TORCH': 'rocm'})


def test_installed_torch_is_kept(layout, commands, console, pip, gpu):
    pip('exit 9', installed=True)
    assert install_torch(commands, layout, {}, console) == 'kept the installed one'
    assert calls(commands) == []


def test_wheel_at_hand_comes_before_a_download(layout, commands, console, pip, no_gpu, screen):
    pip('exit 0')
    assert 'at hand' in install_torch(commands, layout, {}, console)
    (call,) = calls(commands)
    assert '--no-index' in call
    assert 'download' not in screen.getvalue()


def test_no_gpu_downloads_the_cpu_build_from_its_index(
    layout, commands, console, pip, no_gpu, screen
):
    pip('case "$*" in *--no-index*) exit 1;; esac')
    install_torch(commands, layout, {}, console)
    assert f'--index-url {CPU_INDEX}' in calls(commands)[-1]
    assert 'CPU build of torch is about 200 MB' in screen.getvalue()


def test_no_gpu_never_takes_the_cuda_build_silently(layout, commands, console, pip, no_gpu):
    pip('exit 1')
    with pytest.raises(SetupError, match='CPU build') as caught:
        install_torch(commands, layout, {}, console)
    assert 'LAZY_VOS_TORCH=cuda' in caught.value.advice
    assert len(calls(commands)) == 2
    for call in calls(commands):
        assert '+cpu' in call
        assert '--no-deps' in call
        assert '--no-index' in call or CPU_INDEX in call


def test_cuda_build_is_announced_with_its_size(layout, commands, console, pip, gpu, screen):
    pip('exit 0')
    assert 'CUDA build' in install_torch(commands, layout, {}, console)
    assert 'about 3 GB' in screen.getvalue()


def test_only_on_x86_has_the_cpu_build_a_suffix():
    assert cpu_suffix('x86_64') == '+cpu'
    assert cpu_suffix('aarch64') == ''
