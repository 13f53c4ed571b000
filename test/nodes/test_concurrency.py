"""A short run of benchmarks/concurrency.py: nothing is lost and nothing stands still."""

from benchmarks.concurrency import stress


def test_everything_at_once_with_delayed_callbacks(tmp_path):
    found = stress(tmp_path, seconds=1.0, seed=4)
    assert found['unanswered'] == []
    assert found['without end'] == []
    assert found['failures'] == []
    assert found['calls'] >= 4
    assert found['questions'] >= 1
    assert found['flowing']
    assert found['ended']
    assert found['shutdown'] < 2.0
