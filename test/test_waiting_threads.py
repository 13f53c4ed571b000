"""How the threads of PyTorch wait for each other, which is set before PyTorch is imported."""

import os
import subprocess
import sys

import pytest


def shown_by_openmp(**environment):
    """What PyTorch's OpenMP says of its settings when the engine is imported."""
    inherited = {name: value for name, value in os.environ.items() if 'OMP' not in name}
    done = subprocess.run(
        [sys.executable, '-c', 'import lazy_vos_ros.engine.entropy'],
        env={**inherited, 'OMP_DISPLAY_ENV': 'true', **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    if 'OMP_WAIT_POLICY' not in done.stderr:
        pytest.skip('the OpenMP of this PyTorch does not show its settings')
    return done.stderr


def test_threads_that_wait_leave_their_cores_to_others():
    assert "OMP_WAIT_POLICY = 'PASSIVE'" in shown_by_openmp()


def test_what_the_user_says_counts():
    assert "OMP_WAIT_POLICY = 'ACTIVE'" in shown_by_openmp(OMP_WAIT_POLICY='ACTIVE')
