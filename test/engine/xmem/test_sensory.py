import torch

from lazy_vos_ros.engine.xmem.sensory import SensoryMemory


def memory():
    return SensoryMemory(torch.rand(1, 2, 3, 4, 5), (3, 7))


def test_choosing_objects():
    old = memory()
    new = old.of((7, 9, 3))
    assert new.object_ids == (7, 9, 3)
    assert torch.equal(new.hidden[:, 0], old.hidden[:, 1])
    assert torch.equal(new.hidden[:, 2], old.hidden[:, 0])
    assert not new.hidden[:, 1].any()
    assert old.of(()).hidden.shape == (1, 0, 3, 4, 5)


def test_resizing():
    old = memory()
    assert old.resized((4, 5)) is old
    assert old.resized((8, 3)).hidden.shape == (1, 2, 3, 8, 3)
    flat = SensoryMemory(torch.full((1, 2, 3, 4, 5), 0.5), (3, 7))
    assert torch.allclose(flat.resized((2, 9)).hidden, torch.tensor(0.5))


def test_resizing_nothing():
    assert memory().of(()).resized((2, 2)).hidden.shape == (1, 0, 3, 2, 2)
    without = SensoryMemory(torch.zeros(1, 2, 0, 4, 5), (1, 2))
    assert without.resized((2, 2)).hidden.shape == (1, 2, 0, 2, 2)
