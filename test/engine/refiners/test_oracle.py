import numpy as np
import pytest
import torch

from lazy_vos_ros.engine.clicks import Click
from lazy_vos_ros.engine.refiners.oracle import OracleRefiner

TRUTH = np.zeros((48, 64), bool)
TRUTH[10:20, 5:30] = True


def _lookup(frame_index, object_id):
    return TRUTH if (frame_index, object_id) == (3, 2) else None


def test_true_mask_of_the_object_and_frame(make_frame):
    refined = OracleRefiner(_lookup).refine(make_frame(3), [Click(0, 0)], object_id=2)
    assert refined.mask.dtype == torch.bool
    assert np.array_equal(refined.mask.numpy(), TRUTH)
    assert refined.score == 1


@pytest.mark.parametrize(('index', 'object_id'), [(3, 1), (4, 2)])
def test_missing_ground_truth_is_named(make_frame, index, object_id):
    with pytest.raises(ValueError, match=f'object {object_id} in frame {index}'):
        OracleRefiner(_lookup).refine(make_frame(index), [Click(0, 0)], object_id=object_id)


def test_clicks_are_checked_as_by_any_refiner(make_frame):
    with pytest.raises(ValueError, match='at least one'):
        OracleRefiner(_lookup).refine(make_frame(3), [], object_id=2)
    with pytest.raises(ValueError, match='inside the image'):
        OracleRefiner(_lookup).refine(make_frame(3), [Click(64, 0)], object_id=2)
