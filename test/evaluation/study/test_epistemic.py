import pytest
import torch

from lazy_vos_ros.engine.entropy import entropy_map
from lazy_vos_ros.evaluation.study.epistemic import EPISTEMIC
from lazy_vos_ros.evaluation.study.epistemic import mutual_information_map
from lazy_vos_ros.evaluation.study.epistemic import variance_map


def members(*probabilities: list[float]) -> torch.Tensor:
    """(K, n+1, 1, 1): what each member says of one pixel."""
    return torch.tensor(probabilities)[:, :, None, None]


@pytest.mark.parametrize('name', EPISTEMIC)
def test_members_that_agree_are_certain_however_unsure(name: str):
    found = EPISTEMIC[name](members([0.5, 0.5], [0.5, 0.5], [0.5, 0.5]))
    assert found.shape == (1, 1)
    assert found.item() == pytest.approx(0, abs=1e-6)


def test_members_that_contradict_each_other():
    votes = members([1.0, 0.0], [0.0, 1.0])
    assert variance_map(votes).item() == 0.25
    assert mutual_information_map(votes).item() == pytest.approx(1.0)


def test_by_hand():
    votes = members([0.7, 0.2, 0.1], [0.5, 0.2, 0.3])
    assert variance_map(votes).item() == pytest.approx((0.01 + 0 + 0.01) / 3)
    own = [entropy_map(member) for member in votes]
    mean = entropy_map(torch.tensor([0.6, 0.2, 0.2])[:, None, None])
    expected = (mean - (own[0] + own[1]) / 2).item()
    assert mutual_information_map(votes).item() == pytest.approx(expected, abs=1e-6)
    assert expected > 0.005


def test_maps_stay_in_their_range():
    torch.manual_seed(1)
    votes = torch.randn(5, 4, 6, 7).mul(3).softmax(1)
    for name, highest in (('variance', 0.25), ('mutual-information', 1.0)):
        found = EPISTEMIC[name](votes)
        assert found.min() >= 0
        assert found.max() <= highest
