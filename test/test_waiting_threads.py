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
        env={**inherited, 'OMP_DISPLAY_ENV': 'verbose', **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    if 'GOMP_SPINCOUNT' not in done.stderr:
        pytest.skip('the OpenMP of this PyTorch does not show its settings')
    return done.stderr


def test_threads_that_wait_soon_leave_their_cores_to_others():
    assert "GOMP_SPINCOUNT = '2000'" in shown_by_openmp()


def test_what_the_user_says_counts():
    assert "GOMP_SPINCOUNT = '77'" in shown_by_openmp(GOMP_SPINCOUNT='77')
    assert "GOMP_SPINCOUNT = '0'" in shown_by_openmp(OMP_WAIT_POLICY='PASSIVE')
