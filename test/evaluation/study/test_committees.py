"""Both committees over the tracker that comes with the project."""

import numpy as np
import pytest
import torch

from lazy_vos_ros.engine.backend import MemoryWrite
from lazy_vos_ros.engine.build import make_backend
from lazy_vos_ros.engine.xmem.config import XMemConfig
from lazy_vos_ros.evaluation.study.dropout import Dropout
from lazy_vos_ros.evaluation.study.ensemble import Ensemble

HEIGHT, WIDTH, FRAMES = 64, 96, 6


def tracker():
    return make_backend('compact', device='cpu', settings=XMemConfig(size=-1, mem_every=2))


def image(index: int) -> np.ndarray:
    picture = np.random.default_rng(3).integers(40, 90, (HEIGHT, WIDTH, 3), np.uint8)
    picture[20:44, 20 + 4 * index : 44 + 4 * index] = (210, 40, 30)
    return picture


def box(left: int, right: int) -> torch.Tensor:
    mask = torch.zeros(HEIGHT, WIDTH, dtype=torch.bool)
    mask[20:44, left:right] = True
    return mask


def watch(committee, second_object_at: int = 3) -> list[torch.Tensor]:
    """Return the votes on every frame; one object from the first frame, one later."""
    votes = []
    for index in range(FRAMES):
        found = committee.predict(image(index))
        votes.append(found.members)
        left = 20 + 4 * index
        masks = {0: {1: box(left, left + 12)}, second_object_at: {2: box(left + 12, left + 24)}}
        committee.commit(masks.get(index, {}))
    return votes


@pytest.fixture(scope='module')
def alone() -> list[torch.Tensor]:
    return watch(Ensemble([tracker()]))


def test_single_is_the_tracker_itself(alone):
    backend = tracker()
    assert Ensemble([backend]).name == 'single'
    plain = []
    for index in range(FRAMES):
        prediction = backend.predict(image(index))
        plain.append(prediction.probabilities)
        left = 20 + 4 * index
        new = {0: {1: box(left, left + 12)}, 3: {2: box(left + 12, left + 24)}}.get(index, {})
        backend.commit(backend.add_objects(prediction, new))
    assert [votes.shape[:2] for votes in alone] == [(1, 1)] + [(1, 2)] * 3 + [(1, 3)] * 2
    assert all(torch.equal(votes[0], one) for votes, one in zip(alone, plain, strict=True))


def test_ensemble_keeps_a_memory_for_each_member(alone):
    other = tracker()
    for parameter in other.network.parameters():
        parameter.data *= 0.97
    separate = watch(Ensemble([other]))
    ensemble = Ensemble([tracker(), other])
    ensemble.reset()
    together = watch(ensemble)
    assert (ensemble.name, ensemble.members) == ('ensemble', 2)
    assert not torch.equal(alone[-1], separate[-1])
    for votes, one, two in zip(together, alone, separate, strict=True):
        assert torch.equal(votes, torch.cat([one, two]))


@pytest.mark.parametrize('make', [lambda one: Ensemble([one]), Dropout])
def test_frames_that_bring_objects_are_remembered_at_once(make, monkeypatch):
    backend, writes = tracker(), []
    commit = backend.commit

    def spy(prediction, write):
        writes.append(write)
        return commit(prediction, write)

    monkeypatch.setattr(backend, 'commit', spy)
    watch(make(backend))
    forced = [index for index, write in enumerate(writes) if write is MemoryWrite.FORCED]
    assert forced == [0, 3]
    assert writes.count(MemoryWrite.SCHEDULED) == FRAMES - 2


def test_ensemble_of_nobody_is_refused():
    with pytest.raises(ValueError, match='allowed: at least 1'):
        Ensemble([])


def test_pass_without_dropout_is_the_prediction(alone):
    # At this rate not one channel is dropped, so each pass must say what the tracker says.
    votes = watch(Dropout(tracker(), rate=1e-12, passes=2))
    for members, one in zip(votes[1:], alone[1:], strict=True):
        assert torch.allclose(members, one.expand_as(members), atol=1e-6)


class SpiedDropout(Dropout):
    """Notes what the tracker itself predicts in each frame."""

    def predict(self, picture):
        votes = super().predict(picture)
        self.predictions = [*getattr(self, 'predictions', ()), self._prediction.probabilities]
        return votes


def test_passes_leave_the_tracker_as_it_was(alone):
    committee = SpiedDropout(tracker(), rate=0.4, passes=3)
    votes = watch(committee)
    for one, own in zip(alone, committee.predictions, strict=True):
        assert torch.equal(one[0], own)
    assert votes[-1].shape[:2] == (3, 3)
    assert votes[-1].var(0).max() > 1e-4


def test_dropout_is_repeated_by_its_seed():
    one, other = (Dropout(tracker(), rate=0.3, passes=2, seed=seed) for seed in (4, 5))
    first = watch(one)[1]
    assert not torch.equal(first, watch(other)[1])
    one.reset()
    assert torch.equal(first, watch(one)[1])


def test_channels_are_dropped_whole_and_the_mean_stays():
    committee = Dropout(tracker(), rate=0.25, passes=400)
    committee.predict(image(0))
    features = committee._prediction.frame.features
    keys = torch.stack([query.key for query in committee._queries(features)])
    kept = keys[:, 0].flatten(2).abs().amax(2) > 0
    assert 1 - kept.float().mean().item() == pytest.approx(0.25, abs=0.02)
    scaled = features.key / 0.75
    some = kept[0].nonzero()[0].item()
    assert torch.allclose(keys[0][0, some], scaled[0, some])
    difference = keys.mean(0) - features.key
    assert difference.abs().mean() < 0.05 * features.key.abs().mean()


@pytest.mark.parametrize('settings', [{'rate': 0.0}, {'rate': 1.0}, {'passes': 1}])
def test_wrong_settings_are_refused(settings: dict[str, float]):
    with pytest.raises(ValueError, match='allowed:'):
        Dropout(tracker(), **settings)


def test_dropout_needs_a_memory_that_can_be_read_again():
    class Other:
        name = 'another tracker'

    with pytest.raises(ValueError, match='dropout on another tracker'):
        Dropout(Other())


def test_commit_wants_a_prediction():
    with pytest.raises(RuntimeError, match='call predict first'):
        Dropout(tracker()).commit({})
