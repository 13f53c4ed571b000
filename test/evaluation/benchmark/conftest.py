from collections.abc import Callable
from pathlib import Path

import pytest
from painted import NETWORKS

from lazy_vos_ros.engine.config import LazyConfig
from lazy_vos_ros.evaluation.benchmark import jobs
from lazy_vos_ros.evaluation.benchmark.datasets import SequenceFiles
from lazy_vos_ros.evaluation.benchmark.datasets import open_dataset
from lazy_vos_ros.evaluation.benchmark.methods import parse_method
from lazy_vos_ros.evaluation.benchmark.settings import Settings


@pytest.fixture
def colour_networks(monkeypatch: pytest.MonkeyPatch):
    """Let jobs in this process track by colour, without weights."""
    monkeypatch.setattr(jobs, 'networks_for', lambda settings: NETWORKS)


@pytest.fixture
def settings() -> Callable[..., Settings]:
    """Return settings of a method; thresholds as the coloured boxes need them."""

    def make(method: str = 'lazy', *, lazy: dict | None = None, **fields) -> Settings:
        config = LazyConfig(**{'tau_u': 0.3, 'tau_p': 0.1, 'tau_m': 0.5, **(lazy or {})})
        return Settings(method=parse_method(method, config), **{'fps': 10.0, **fields})

    return make


@pytest.fixture
def files() -> Callable[[Path], SequenceFiles]:
    """Return the only sequence of a data set."""

    def find(root: Path) -> SequenceFiles:
        (only,) = open_dataset(root).sequences
        return only

    return find
