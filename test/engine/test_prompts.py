import numpy as np
import pytest

from lazy_vos_ros.engine.clicks import Click
from lazy_vos_ros.engine.prompts import Prompt
from lazy_vos_ros.engine.prompts import number_prompts

MASK = np.ones((4, 6), bool)
HERE = Prompt(clicks=(Click(1, 1),))


@pytest.mark.parametrize(
    ('fields', 'reason'),
    [
        ({}, 'neither'),
        ({'clicks': (Click(1, 1),), 'mask': MASK}, 'both'),
        ({'clicks': (Click(1, 1, positive=False),)}, 'only negative'),
        ({'mask': np.zeros((4, 6), bool)}, 'empty mask'),
        ({'mask': np.ones((4, 6, 1), np.uint8)}, r'\(H, W\)'),
        ({'mask': np.ones((4, 6), np.float32)}, 'float32'),
        ({'mask': MASK, 'object_id': 0}, 'id 0; allowed: 1 to 65535'),
        ({'mask': MASK, 'object_id': 65536}, 'id 65536'),
    ],
)
def test_prompts_that_mean_nothing(fields, reason):
    with pytest.raises(ValueError, match=reason):
        Prompt(**fields)


def test_size_of_the_image_is_checked():
    Prompt(mask=MASK).check_inside(4, 6)
    HERE.check_inside(2, 2)
    with pytest.raises(ValueError, match=r'\(4, 6\).*\(6, 4\)'):
        Prompt(mask=MASK).check_inside(6, 4)
    with pytest.raises(ValueError, match='inside the image'):
        HERE.check_inside(1, 2)


def test_next_free_ids_in_the_order_of_the_prompts():
    first, second = Prompt(mask=MASK, label='a'), Prompt(mask=MASK, label='b')
    assert list(number_prompts([first, second], 0).items()) == [(1, first), (2, second)]
    assert list(number_prompts([first], 7)) == [8]


def test_given_ids_are_sorted_and_continued():
    nine, four = Prompt(mask=MASK, object_id=9), Prompt(mask=MASK, object_id=4)
    assert list(number_prompts([nine, HERE, four], 3)) == [4, 9, 10]


@pytest.mark.parametrize(
    ('prompts', 'last', 'reason'),
    [
        ([], 0, 'no prompts'),
        ([Prompt(mask=MASK, object_id=3)], 3, 'id 3 was used already; allowed: above 3'),
        ([HERE, Prompt(mask=MASK, object_id=1)], 0, 'id 1 was used already'),
        ([HERE], 65535, 'too many objects'),
    ],
)
def test_ids_that_are_not_allowed(prompts, last, reason):
    with pytest.raises(ValueError, match=reason):
        number_prompts(prompts, last)
