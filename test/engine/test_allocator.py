import subprocess
import sys

import pytest

FAULTS = """
import resource
import sys
from ctypes import CDLL
if not hasattr(CDLL(None), 'mallopt'):
    print('none')
    raise SystemExit
from lazy_vos_ros.engine.allocator import tune_allocator
if sys.argv[1] == 'tuned':
    tune_allocator()
def touch():
    bytearray(40 << 20)[::4096] = b'1' * (10 << 10)
touch()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(5):
    touch()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def faults(word):
    command = [sys.executable, '-c', FAULTS, word]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def test_buffers_that_come_again_cost_no_page_faults():
    plain, tuned = faults('plain'), faults('tuned')
    if plain == 'none':
        pytest.skip('the C library has no mallopt')
    assert int(plain) > 40_000
    assert int(tuned) < 5_000
