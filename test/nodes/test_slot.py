from lazy_vos_ros.nodes.slot import Slot


def test_the_newest_wins_and_the_others_are_counted():
    slot = Slot()
    assert slot.take() is None
    for item in ('a', 'b', 'c'):
        slot.put(item)
    assert slot.take() == 'c'
    assert slot.take() is None
    assert slot.dropped == 2


def test_what_was_taken_is_not_dropped():
    slot = Slot()
    for item in range(5):
        slot.put(item)
        assert slot.take() == item
    assert slot.dropped == 0


def test_clear_forgets_item_and_count():
    slot = Slot()
    slot.put(1)
    slot.put(2)
    slot.clear()
    assert slot.take() is None
    assert slot.dropped == 0
