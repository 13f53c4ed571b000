import pytest

from lazy_vos_ros.evaluation.benchmark.progress import Progress
from lazy_vos_ros.evaluation.benchmark.progress import duration


def test_time_left_follows_the_frames_that_are_done(capsys: pytest.CaptureFixture[str]):
    now = [100.0]
    progress = Progress(100, 3, clock=lambda: now[0])
    now[0] = 110.0
    progress.sequence('a', 20)
    now[0] = 140.0
    progress.sequence('b', 60)
    progress.sequence('c', 20)
    progress.close()
    assert capsys.readouterr().out.splitlines() == [
        'a (1 of 3, about 40 s left)',
        'b (2 of 3, about 10 s left)',
        'c (3 of 3)',
    ]


@pytest.mark.parametrize(
    ('seconds', 'text'), [(0.4, '0 s'), (89, '89 s'), (600, '10 min'), (9000, '2.5 h')]
)
def test_duration(seconds: float, text: str):
    assert duration(seconds) == text
