import pytest

from lazy_vos_ros.engine.answers import check_answer
from lazy_vos_ros.engine.answers import clicks_of
from lazy_vos_ros.engine.clicks import Click
from lazy_vos_ros.engine.results import Absent
from lazy_vos_ros.engine.results import Skip

CLICK = Click(3, 1)


@pytest.mark.parametrize('answer', [CLICK, (CLICK,), (CLICK, Click(0, 0)), Skip(), Absent()])
def test_what_may_be_said(answer):
    check_answer(answer, 2, 4)


@pytest.mark.parametrize('answer', [None, 'here', (), (CLICK, None), [CLICK], (3, 1)])
def test_what_is_no_answer(answer):
    with pytest.raises(ValueError, match='allowed: a Click'):
        check_answer(answer, 2, 4)


@pytest.mark.parametrize('click', [Click(4, 0), Click(0, 2), Click(-1, 0), Click(3.5, 0)])
def test_clicks_beside_the_image(click):
    with pytest.raises(ValueError, match='inside the image'):
        check_answer((CLICK, click), 2, 4)


def test_clicks_of_every_answer():
    assert clicks_of(CLICK) == (CLICK,)
    assert clicks_of((CLICK, CLICK)) == (CLICK, CLICK)
    assert clicks_of(Skip()) == clicks_of(Absent()) == ()
