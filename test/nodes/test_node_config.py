import pytest

from lazy_vos_ros.engine.clicks import Click
from lazy_vos_ros.nodes.node_config import NodeConfig


@pytest.mark.parametrize('text', ['1', '1,2,3', 'a,b', '1;2', 'nan,1', ','])
def test_a_click_that_is_none(text):
    with pytest.raises(ValueError, match=r'initial_click is .*allowed: "x,y"'):
        NodeConfig(initial_click=text)


def test_one_first_object_only():
    with pytest.raises(ValueError, match='both given'):
        NodeConfig(initial_click='1,2', initial_mask='mask.png')


def test_first_click():
    assert NodeConfig().first_click() is None
    assert NodeConfig(initial_click=' 12.5, 3').first_click() == Click(12.5, 3.0)
