import importlib.util
import os
from pathlib import Path

import pytest
import torch

from lazy_vos_ros.engine.xmem.network import XMemNetwork
from lazy_vos_ros.engine.xmem.official import official_network

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope='session')
def golden_folder() -> Path:
    """Golden sequences made with the published code on procedural images."""
    return ROOT / 'test' / 'data' / 'golden'


@pytest.fixture(scope='session')
def shared_golden() -> Path:
    """Golden sequences on real images, which are not part of the project."""
    shared = Path(os.environ.get('LAZY_VOS_SHARED', ROOT.parent / 'shared'))
    if not (shared / 'golden').is_dir():
        pytest.skip(f'{shared}/golden is not there')
    return shared / 'golden'


@pytest.fixture(scope='session')
def filled_network() -> XMemNetwork:
    """The published architecture with the golden weights; do not change it."""
    path = ROOT / 'test' / 'data' / 'filler.py'
    spec = importlib.util.spec_from_file_location('golden_filler', path)
    filler = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(filler)
    torch.manual_seed(0)
    network = official_network()
    network.load_state_dict(filler.fill_state_dict(network.state_dict()))
    return network
