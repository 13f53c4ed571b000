from lazy_vos_ros.nodes.web.limits import MOST_KEYS
from lazy_vos_ros.nodes.web.limits import Bucket
from lazy_vos_ros.nodes.web.limits import Buckets
from lazy_vos_ros.nodes.web.limits import Limit

LIMIT = Limit(burst=3, per_second=0.5)


def test_bucket_empties_and_fills_again_but_never_above_its_size():
    now = [0.0]
    bucket = Bucket(LIMIT, lambda: now[0])
    assert [bucket.take() for _ in range(4)] == [True, True, True, False]
    now[0] = 2.0
    assert [bucket.take() for _ in range(2)] == [True, False]
    now[0] = 1000.0
    assert bucket.left == 3


def test_keys_do_not_share_and_the_oldest_are_forgotten():
    buckets = Buckets(LIMIT, lambda: 0.0)
    while buckets.of('greedy').take():
        pass
    assert buckets.of('modest').take()
    for number in range(MOST_KEYS - 1):
        buckets.of(str(number))
        assert buckets.of('greedy').left == 0
    assert len(buckets) == MOST_KEYS
