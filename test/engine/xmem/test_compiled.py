"""Compiling is tried before objects are tracked, changes no result, and may fail."""

import logging

import pytest
import torch
from torch import nn

from lazy_vos_ros.engine.xmem import compiled
from lazy_vos_ros.engine.xmem.backend import XMemBackend
from lazy_vos_ros.engine.xmem.config import XMemConfig
from lazy_vos_ros.engine.xmem.fingerprint import fingerprint

PARTS = 4


class Traced(nn.Module):
    """In place of a compiled part: it counts its calls, or has no compiler."""

    def __init__(self, part, *, works=True):
        super().__init__()
        self.part = part
        self.works = works
        self.calls = 0

    def forward(self, *args, **options):
        if not self.works:
            raise RuntimeError('no C++ compiler\nand much more')
        self.calls += 1
        return self.part(*args, **options)


@pytest.fixture
def compiler(monkeypatch):
    """Return the parts that were compiled so far; `works` says whether it can."""

    class Compiler:
        works = True

        def __init__(self):
            self.parts = []
            self.modes = []

        def __call__(self, part, mode=None):
            self.parts.append(Traced(part, works=self.works))
            self.modes.append(mode)
            return self.parts[-1]

    made = Compiler()
    monkeypatch.setattr(compiled.torch, 'compile', made)
    return made


def backend_of(network, **settings):
    return XMemBackend(network, XMemConfig(**{'size': -1, 'mem_every': 2, **settings}))


def track(backend, images):
    """Probabilities of all images but the first, on which an object is given."""
    mask = torch.zeros(images.shape[1:3], dtype=torch.bool)
    mask[8:24, 4:20] = True
    backend.commit(backend.add_objects(backend.predict(images[0]), {1: mask}))
    found = []
    for image in images[1:]:
        prediction = backend.predict(image)
        found.append(prediction.probabilities)
        backend.commit(prediction)
    return torch.stack(found)


def test_nothing_is_compiled_unless_asked(tiny_network, frames, compiler):
    track(backend_of(tiny_network), frames(3))
    assert compiler.parts == []


def test_the_results_are_the_same(tiny_network, frames, compiler):
    images = frames(6)
    expected = track(backend_of(tiny_network), images)
    assert torch.equal(track(backend_of(tiny_network, compile=True), images), expected)
    assert len(compiler.parts) == PARTS
    assert all(part.calls for part in compiler.parts)


def test_all_parts_are_called_before_an_object_is_tracked(tiny_network, frames, compiler):
    backend = backend_of(tiny_network, compile=True)
    backend.commit(backend.predict(frames(1)[0]))
    assert all(part.calls for part in compiler.parts)
    assert backend.object_ids == ()
    assert backend.memory_size().nbytes == 0


def test_images_of_another_size_cost_nothing_that_was_tracked(tiny_network, frames, compiler):
    images, larger = frames(4), frames(2, 64, 96)
    plain, backend = (backend_of(tiny_network, compile=value) for value in (False, True))
    for one in (plain, backend):
        track(one, images)
        one.commit(one.predict(larger[0]))
    assert torch.equal(
        backend.predict(larger[1]).probabilities, plain.predict(larger[1]).probabilities
    )
    assert len(compiler.parts) == PARTS


def test_without_a_compiler_it_runs_as_it_is_and_says_so_once(
    tiny_network, frames, compiler, caplog
):
    compiler.works = False
    images = frames(4)
    expected = track(backend_of(tiny_network), images)
    with caplog.at_level(logging.WARNING):
        backend = backend_of(tiny_network, compile=True)
        assert torch.equal(track(backend, images), expected)
        backend.commit(backend.predict(frames(1, 64, 96)[0]))
    assert [record.getMessage() for record in caplog.records] == [
        'xmem.compile is true, and this machine does not compile the network; it runs as it is, '
        'with the same results: no C++ compiler'
    ]


def test_a_memory_means_the_same_compiled_or_not(tiny_network):
    plain, other = XMemConfig(), XMemConfig(size=256)
    assert fingerprint(tiny_network, XMemConfig(compile=True)) == fingerprint(tiny_network, plain)
    assert fingerprint(tiny_network, other) != fingerprint(tiny_network, plain)


def test_cuda_graphs_are_recorded_and_their_outputs_copied(tiny_network, compiler):
    network = compiled.compiled(tiny_network, torch.device('cuda'))
    assert compiler.modes == ['reduce-overhead'] * PARTS
    assert isinstance(network.decoder, compiled.Kept)
    overwritten = torch.zeros(2)
    nothing, kept = compiled.Kept(lambda: (None, overwritten))()
    overwritten.fill_(1)
    assert nothing is None
    assert kept.tolist() == [0, 0]
