"""How a node's process ends while its code is still being loaded."""

import os
import signal
import subprocess
import sys
from concurrent.futures import Future
from importlib import import_module

import pytest

from lazy_vos_ros.cli.main import main
from lazy_vos_ros.nodes import runtime
from lazy_vos_ros.nodes import start
from lazy_vos_ros.nodes.waiting import EndingError
from lazy_vos_ros.nodes.waiting import result_unless_ending

SLOW = 'print("loading", flush=True)\nimport time\ntime.sleep(60)\n'


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_a_signal_while_the_code_is_loaded_is_no_error(tmp_path, number):
    (tmp_path / 'slow.py').write_text(SLOW)
    code = (
        'from lazy_vos_ros.nodes import start; start.NODES["slow"] = "slow"; start.start("slow")'
    )
    path = os.pathsep.join([os.getcwd(), str(tmp_path)])
    process = subprocess.Popen(
        [sys.executable, '-c', code],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, 'PYTHONPATH': path},
    )
    assert process.stdout.readline() == 'loading\n'
    process.send_signal(number)
    rest, _ = process.communicate(timeout=60)
    assert (rest, process.returncode) == ('', 0)


def test_every_name_starts_a_node():
    for name, module in start.NODES.items():
        assert callable(import_module(module).main)
        assert callable(getattr(start, name if name == 'lazy_vos' else f'lazy_vos_{name}'))


@pytest.mark.parametrize('given', [['-p', 'tau_u:=0.3'], ['--help'], ['x', '--ros-args']])
def test_what_no_node_would_read_is_refused(given, capsys):
    assert main(['node', 'lazy_vos', *given]) == 1
    assert 'after lazy_vos; allowed: --ros-args and what follows' in capsys.readouterr().err


def test_what_is_being_loaded_is_not_waited_for_once_a_signal_came(monkeypatch):
    job = Future()
    monkeypatch.setattr(runtime, '_signalled', [signal.SIGTERM])
    with pytest.raises(EndingError):
        result_unless_ending(job)
    job.set_result(3)
    assert result_unless_ending(job) == 3
    failed = Future()
    failed.set_exception(KeyError('weights'))
    with pytest.raises(KeyError, match='weights'):
        result_unless_ending(failed)
