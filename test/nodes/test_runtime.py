"""How a node's process starts and ends."""

import os
import signal
import subprocess
import sys
import textwrap
from time import monotonic

import pytest

HEAD = """
    import sys, threading, time
    import rclpy
    from rclpy.node import Node
    from lazy_vos_ros.nodes.runtime import Stop, run

    def stop(status):
        raise Stop(status)
"""


def start(body):
    code = textwrap.dedent(HEAD) + textwrap.dedent(body)
    return subprocess.Popen(
        [sys.executable, '-c', code],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, 'PYTHONPATH': os.pathsep.join([os.getcwd(), *sys.path])},
    )


def ends(process):
    output, _ = process.communicate(timeout=120)
    assert 'Traceback' not in output, output
    assert 'terminate called' not in output, output
    return process.returncode, output


def test_what_is_wrong_at_start_is_one_line():
    status, output = ends(
        start("""
        def make():
            raise ValueError('rate is -1; allowed: above 0')
        sys.exit(run(make))
        """)
    )
    assert status == 1
    assert 'cannot start: rate is -1; allowed: above 0' in output
    assert len(output.splitlines()) == 1


def test_a_callback_ends_the_node():
    status, _ = ends(
        start("""
        def make():
            node = rclpy.create_node('it')
            node.create_timer(0.05, lambda: stop(3))
            return node
        sys.exit(run(make))
        """)
    )
    assert status == 3


@pytest.mark.parametrize('signals', [[signal.SIGINT], [signal.SIGTERM], [signal.SIGINT] * 2])
def test_signals_end_it_quietly_and_close_is_called(signals):
    process = start("""
        class It(Node):
            def close(self):
                print('closed', flush=True)
        def make():
            node = It('it')
            timer = node.create_timer(0.01, lambda: (print('ready', flush=True), timer.cancel()))
            return node
        sys.exit(run(make))
        """)
    assert process.stdout.readline() == 'ready\n'
    begin = monotonic()
    for number in signals:
        process.send_signal(number)
    status, output = ends(process)
    assert status == 0, output
    assert output == 'closed\n'
    assert monotonic() - begin < 10


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_a_signal_while_python_itself_ends_changes_nothing(number):
    """Python puts handlers back to the default before it takes modules down."""
    status, output = ends(
        start(f"""
        import os

        class Last:
            def __del__(self, kill=os.kill, pid=os.getpid(), write=os.write):
                write(1, b'the very end')
                kill(pid, {int(number)})

        def make():
            node = rclpy.create_node('it')
            node.create_timer(0.05, lambda: stop(0))
            return node

        sys.modules['last'] = Last()
        sys.exit(run(make))
        """)
    )
    assert 'the very end' in output
    assert status == 0


def test_a_callback_that_fails_is_told_and_the_node_goes_on():
    process = start("""
        def make():
            node = rclpy.create_node('it')
            node.create_timer(0.05, lambda: failing.cancel() or {}['key'])
            failing = node.create_timer(0.01, lambda: 1 / 0)
            node.create_timer(0.5, lambda: stop(0))
            return node
        sys.exit(run(make))
        """)
    output, _ = process.communicate(timeout=120)
    assert process.returncode == 0
    assert 'a callback failed: Traceback' in output
    assert 'ZeroDivisionError' in output
    assert "KeyError: 'key'" in output


def test_a_thread_that_cannot_be_stopped_does_not_hold_the_process():
    process = start("""
        class It(Node):
            def close(self):
                return False  # a thread is still inside the network
        threading.Thread(target=lambda: time.sleep(600), daemon=False).start()
        def make():
            node = It('it')
            node.create_timer(0.05, lambda: stop(0))
            return node
        sys.exit(run(make))
        """)
    status, _ = ends(process)
    assert status == 0
