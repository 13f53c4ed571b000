import os
from pathlib import Path

import numpy as np
import pytest

SHARED = Path(
    os.environ.get('LAZY_VOS_SHARED', Path(__file__).resolve().parents[2] / '..' / 'shared')
)


@pytest.fixture(scope='session')
def lazy_layer_golden():
    path = SHARED / 'golden' / 'official' / 'lazy_layer.npz'
    if not path.is_file():
        pytest.skip(f'the golden vectors of the published lazy layer are not at {path}')
    with np.load(path) as vectors:
        return dict(vectors)
