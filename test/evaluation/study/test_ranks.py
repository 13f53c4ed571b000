from math import inf
from math import nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lazy_vos_ros.evaluation.study.ranks import average_ranks
from lazy_vos_ros.evaluation.study.ranks import spearman

stats = pytest.importorskip('scipy.stats')


def test_ties_share_their_mean_rank():
    assert average_ranks([10, 30, 20, 20]).tolist() == [1, 4, 2.5, 2.5]
    assert average_ranks([7, 7, 7]).tolist() == [2, 2, 2]


def test_only_the_order_counts():
    assert spearman([1, 2, 3, 4], [0.1, 0.2, 0.9, 100.0]) == 1.0
    assert spearman([1, 2, 3, 4], [4, 3, 2, -9]) == -1.0
    # Ranks 1 2 3 4 and 2 1 4 3: 1 - 6 * 4 / (4 * 15).
    assert spearman([1, 2, 3, 4], [5, 1, 9, 7]) == pytest.approx(0.6)


# Few different values, so that there are many ties.
VALUES = st.lists(
    st.tuples(st.integers(0, 6), st.floats(-1, 1, width=16)), min_size=3, max_size=40
)


@given(VALUES)
def test_equals_scipy(pairs: list[tuple[int, float]]):
    one, other = [a for a, _ in pairs], [b for _, b in pairs]
    found = spearman(one, other)
    if len(set(one)) == 1 or len(set(other)) == 1:
        assert found is None
    else:
        assert found == pytest.approx(stats.spearmanr(one, other).statistic, abs=1e-12)


def test_constant_or_empty_series_have_none():
    assert spearman([1, 1, 1], [1, 2, 3]) is None
    assert spearman([1, 2, 3], [0.5, 0.5, 0.5]) is None
    assert spearman([], []) is None


@pytest.mark.parametrize('wrong', [nan, inf])
def test_values_without_a_rank_are_refused(wrong: float):
    with pytest.raises(ValueError, match='1 of 3 values are NaN or infinite'):
        spearman([1, 2, 3], [0.1, wrong, 0.2])
    with pytest.raises(ValueError, match='allowed: series of one length'):
        spearman([1, 2, 3], [0.1, 0.2])
