from lazy_vos_ros.engine.xmem.schedule import Schedule


def due_ticks(schedule, ticks):
    due = []
    for tick in range(ticks):
        schedule.tick()
        if schedule.memory_due:
            due.append(tick)
            schedule.memorised(deep=True)
    return due


def test_memory_is_due_every_few_ticks():
    assert due_ticks(Schedule(5, -1), 17) == [5, 10, 15]


def test_forced_memory_starts_the_count_again():
    schedule = Schedule(5, -1)
    for _ in range(4):
        schedule.tick()
    schedule.memorised(deep=False)
    assert due_ticks(schedule, 6) == [4]


def test_holding_keeps_it_due():
    schedule = Schedule(3, -1)
    for _ in range(4):
        schedule.tick()
    for _ in range(5):
        assert schedule.memory_due
        schedule.hold()
        schedule.tick()


def test_deep_updates_follow_the_memory_or_their_own_count():
    synchronised = Schedule(5, -1)
    synchronised.tick()
    assert synchronised.deep_due(True)
    assert not synchronised.deep_due(False)
    own = Schedule(5, 4)
    own.tick()
    assert own.deep_due(False)
    own.memorised(deep=True)
    for _ in range(3):
        own.tick()
        assert not own.deep_due(True)
    own.tick()
    assert own.deep_due(False)
