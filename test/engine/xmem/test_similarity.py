import math

import pytest
import torch

from lazy_vos_ros.engine.xmem.similarity import largest_of
from lazy_vos_ros.engine.xmem.similarity import readout
from lazy_vos_ros.engine.xmem.similarity import rows
from lazy_vos_ros.engine.xmem.similarity import similarity
from lazy_vos_ros.engine.xmem.similarity import softmax_affinity
from lazy_vos_ros.engine.xmem.similarity import top_k_affinity
from lazy_vos_ros.engine.xmem.similarity import top_k_readout
from lazy_vos_ros.engine.xmem.similarity import unrows
from lazy_vos_ros.engine.xmem.similarity import usage


def inputs(*batch, n=7, q=5, c=4, dtype=torch.float64):
    torch.manual_seed(0)
    key = torch.randn(*batch, n, c, dtype=dtype)
    shrinkage = 1 + torch.rand(*batch, n, dtype=dtype)
    query = torch.randn(*batch, q, c, dtype=dtype)
    return key, shrinkage, query, torch.rand(*batch, q, c, dtype=dtype)


def direct(key, shrinkage, query, selection):
    distance = key[..., None, :, :] - query[..., :, None, :]
    weighted = (selection[..., :, None, :] * distance.square()).sum(-1)
    return -shrinkage[..., None, :] * weighted / math.sqrt(key.shape[-1])


@pytest.mark.parametrize('batch', [(), (2,), (2, 3)])
def test_similarity_is_the_weighted_squared_distance(batch):
    given = inputs(*batch)
    got = similarity(*given)
    assert got.shape == (*batch, 5, 7)
    torch.testing.assert_close(got, direct(*given))


def test_similarity_of_a_key_with_itself_is_zero_and_the_largest():
    key, shrinkage, _, _ = inputs()
    got = similarity(key, shrinkage, key, torch.ones_like(key))
    torch.testing.assert_close(got.diagonal(), torch.zeros(7, dtype=got.dtype))
    assert got.argmax(-1).tolist() == list(range(7))


def test_without_selection_only_the_term_of_the_query_is_missing():
    key, shrinkage, query, _ = inputs()
    got = similarity(key, None, query, None)
    full = direct(key, torch.ones_like(shrinkage), query, torch.ones_like(query))
    torch.testing.assert_close(got - full, query.square().sum(-1, keepdim=True).expand(5, 7) / 2)


def test_top_k_weights_the_k_largest_only():
    similarities = torch.tensor([[0.0, math.log(3.0), -1.0, -2.0]])
    affinity = top_k_affinity(similarities, 2)
    assert affinity.indices.tolist() == [[1, 0]]
    torch.testing.assert_close(affinity.weights, torch.tensor([[0.75, 0.25]]))


@pytest.mark.parametrize(
    ('shape', 'k'),
    [((3, 255), 1), ((3, 256), 1), ((2, 1, 2055), 1), ((5, 1543), 3), ((2, 9 * 2048 + 5), 2)],
)
def test_the_largest_of_many_are_found_by_groups(shape, k):
    torch.manual_seed(0)
    similarities = torch.randn(shape, dtype=torch.float64)
    similarities[..., -1] += 9 * (torch.arange(shape[-2]) % 2)
    largest, indices = largest_of(similarities, k)
    wanted = similarities.topk(k, -1)
    assert torch.equal(largest, wanted.values)
    assert torch.equal(indices, wanted.indices)


def test_equal_elements_are_each_taken_once():
    largest, indices = largest_of(torch.zeros(1, 3001), 5)
    assert largest.eq(0).all()
    assert len(set(indices[0].tolist())) == 5


def test_k_above_the_number_of_elements_takes_them_all():
    similarities = torch.tensor([[0.0, 1.0, 2.0]])
    affinity = top_k_affinity(similarities, 30)
    weights = torch.zeros(1, 3).scatter_(-1, affinity.indices, affinity.weights)
    torch.testing.assert_close(weights, softmax_affinity(similarities))


def test_very_dissimilar_memories_do_not_underflow():
    affinity = top_k_affinity(torch.tensor([[-500.0, -501.0, -900.0]]), 2)
    assert affinity.weights.isfinite().all()
    assert affinity.weights.sum().item() == pytest.approx(1)


@pytest.mark.parametrize('batch', [(), (2,), (2, 3)])
def test_reading_k_rows_equals_the_dense_product(batch):
    key, shrinkage, query, selection = inputs(*batch)
    values = torch.randn(*batch, 7, 3, dtype=key.dtype)
    affinity = top_k_affinity(similarity(key, shrinkage, query, selection), 4)
    dense = torch.zeros(*batch, 5, 7, dtype=key.dtype)
    dense.scatter_(-1, affinity.indices, affinity.weights)
    torch.testing.assert_close(top_k_readout(affinity, values), readout(dense, values))
    torch.testing.assert_close(usage(affinity, 7), dense.sum(-2))


def test_gradients_reach_keys_values_and_selection():
    given = [tensor.requires_grad_() for tensor in inputs(2)]
    values = torch.randn(2, 7, 3, dtype=torch.float64, requires_grad=True)

    def read(key, shrinkage, query, selection, values):
        affinity = top_k_affinity(similarity(key, shrinkage, query, selection), 3)
        return top_k_readout(affinity, values)

    assert torch.autograd.gradcheck(read, (*given, values))


def test_rows_and_maps_are_inverse():
    maps = torch.arange(24.0).view(1, 2, 3, 4)
    flat = rows(maps)
    assert flat.shape == (1, 12, 2)
    assert flat[0, 5].tolist() == [5.0, 17.0]
    assert torch.equal(unrows(flat, (3, 4)), maps)
