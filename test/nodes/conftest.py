"""Real processes over real DDS, in a domain of their own, and a node of the test among them."""

from itertools import count

import pytest

from benchmarks.live_graph import ENVIRONMENT
from benchmarks.live_graph import Camera
from benchmarks.live_graph import Graph

NUMBERS = count()


@pytest.fixture(scope='session', autouse=True)
def middleware():
    """Keep to this host and to a domain of this run; large images must arrive."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in ENVIRONMENT.items():
            patch.setenv(name, value)
        yield


@pytest.fixture
def graph(tmp_path):
    """Return a graph in a namespace of its own."""
    made = Graph(tmp_path, f'/test_{next(NUMBERS)}')
    yield made
    made.close()


@pytest.fixture
def camera(graph):
    """Return a camera of the test's own node."""
    return Camera(graph)


@pytest.fixture
def compressed_camera(graph):
    """Return a camera that sends png images."""
    return Camera(graph, compressed=True)
