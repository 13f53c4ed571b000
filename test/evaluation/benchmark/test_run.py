import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import painted
import pytest

from lazy_vos_ros.evaluation.benchmark.datasets import open_dataset
from lazy_vos_ros.evaluation.benchmark.figures import KEYS
from lazy_vos_ros.evaluation.benchmark.run import Means
from lazy_vos_ros.evaluation.benchmark.run import Plan
from lazy_vos_ros.evaluation.benchmark.run import jobs_of
from lazy_vos_ros.evaluation.benchmark.run import run_benchmark
from lazy_vos_ros.evaluation.label_images import read_labels

Run = Callable[..., tuple]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return painted.write_folders(
        tmp_path / 'data',
        {'short': painted.moving_box(4), 'long': painted.moving_box(9)},
        looks={2: painted.UNCLEAR, 3: painted.DARK},
    )


@pytest.fixture
def run(tmp_path: Path, data: Path, settings: Callable, colour_networks: None, capsys) -> Run:
    """Run a method; return the results and what was printed."""

    def call(method: str = 'lazy', *, seeds=(0,), masks=None, **fields):
        plan = Plan(open_dataset(data), settings(method, **fields), seeds)
        results = run_benchmark(plan, tmp_path / 'out', Means(masks=masks))
        return results, capsys.readouterr().out

    return call


def test_results_have_what_the_design_says_and_more(run: Run, tmp_path: Path):
    results, _ = run()
    results.write(tmp_path / 'deep' / 'results.json')
    content = json.loads((tmp_path / 'deep' / 'results.json').read_text())
    assert content.keys() >= {'method', 'backend', 'init', 'dataset', 'mean', 'sequences'}
    assert content['mean'].keys() >= set(KEYS)
    assert [item['name'] for item in content['sequences']] == ['long', 'short']
    for sequence in content['sequences']:
        (one,) = sequence['objects']
        assert one.keys() >= {'id', *KEYS}
    assert content['mean']['NoC'] == 2
    assert content['settings']['lazy']['tau_u'] == 0.3
    assert content['settings']['lazy']['questions_per_minute'] == 'inf'
    assert 'sha256' in content['settings']
    assert content['spread'] == {}


def test_table_has_a_line_for_each_object_and_the_mean(run: Run):
    results, printed = run()
    lines = results.table().splitlines()
    assert lines[0].split() == ['sequence', 'object', 'frames', 'scored', *KEYS]
    assert [line.split()[0] for line in lines[1:]] == ['long', 'short', 'mean']
    long = dict(zip(lines[0].split(), lines[1].split(), strict=True))
    assert (long['frames'], long['J'], long['R@0.5'], long['NoC']) == ('9', '87.5', '87.5', '1')
    assert 'long: 9 frames' in printed
    assert '(2 of 2)' in printed


def test_finished_sequences_are_not_tracked_again(run: Run, tmp_path: Path, data: Path):
    first, _ = run()
    for path in data.rglob('JPEGImages/*.png'):
        path.write_bytes(b'gone')  # tracking would fail now
    again, printed = run()
    assert 'finished already: 2 of 2 sequences' in printed
    assert again == first


def test_other_settings_are_told_and_tracked_again(run: Run):
    run()
    _, printed = run(lazy={'tau_u': 0.9})
    assert 'long is tracked again: it was tracked with other settings' in printed
    assert 'lazy tau_u: 0.3, now 0.9' in printed
    assert '(2 of 2)' in printed
    _, printed = run(lazy={'tau_u': 0.9}, sha256={'a.pth': '1234'})
    assert 'sha256 a.pth: None, now 1234' in printed


def test_damaged_record_is_told_and_tracked_again(run: Run, tmp_path: Path):
    first, _ = run()
    path = tmp_path / 'out' / 'sequences' / 'long.seed0.json'
    path.write_text(path.read_text()[:100])
    again, printed = run()
    assert 'long is tracked again: ' in printed
    assert 'cannot be read' in printed
    assert '(1 of 1)' in printed
    assert again.mean['J'] == first.mean['J']


def test_masks_that_are_wanted_later_are_made_later(run: Run, tmp_path: Path):
    run()
    masks = tmp_path / 'masks'
    _, printed = run(masks=masks)
    assert 'its masks are not there' in printed
    assert len(list((masks / 'long').iterdir())) == 9
    assert read_labels(masks / 'short' / '00001.png').max() == 1
    _, printed = run(masks=masks)
    assert 'finished already: 2 of 2 sequences' in printed


def test_failed_sequences_are_named_and_the_others_kept(run: Run, tmp_path: Path, data: Path):
    (data / 'long' / 'JPEGImages' / '00005.png').write_bytes(b'broken')
    with pytest.raises(RuntimeError, match=r'1 of 2 sequences failed.*long: .*00005.png is no'):
        run()
    names = [path.name for path in (tmp_path / 'out' / 'sequences').iterdir()]
    assert names == ['short.seed0.json']


def test_seeds_are_for_methods_that_draw(run: Run):
    results, printed = run('rand-lazy', seeds=(0, 1, 2), random_mean=2.0)
    assert '(6 of 6)' in printed
    assert [item['seed'] for item in results.seeds] == [0, 1, 2]
    numbers = [item['NoC'] for item in results.seeds]
    assert results.mean['NoC'] == pytest.approx(sum(numbers) / 3)
    assert results.spread['NoC'] > 0
    assert 'deviation' in results.table()
    alone, _ = run('rand-lazy', seeds=(1,), random_mean=2.0)
    assert alone.seeds[0]['NoC'] == numbers[1]
    results, printed = run('lazy', seeds=(0, 1, 2))
    assert len(results.seeds) == 1


def test_masks_of_several_seeds_have_folders_of_their_own(
    data: Path, tmp_path: Path, settings: Callable
):
    plan = Plan(open_dataset(data), settings('rand-lazy'), (0, 5))
    jobs = jobs_of(plan, Means(masks=tmp_path))
    assert {job.masks for job in jobs} == {
        tmp_path / f'seed{seed}' / name for seed in (0, 5) for name in ('long', 'short')
    }


def test_long_sequences_come_first(data: Path, settings: Callable):
    plan = Plan(open_dataset(data), settings('rand-lazy'), (0, 1))
    jobs = jobs_of(plan, Means())
    assert [(job.files.name, job.seed) for job in jobs] == [
        ('long', 0),
        ('long', 1),
        ('short', 0),
        ('short', 1),
    ]
    assert {job.threads for job in jobs_of(plan, Means(threads=3))} == {3}


def test_nothing_to_score_is_no_number(run: Run, data: Path):
    for name, count in (('long', 9), ('short', 4)):
        for index in range(1, count):
            (data / name / 'Annotations' / f'{index:05d}.png').unlink()
    results, _ = run()
    assert results.mean['J'] is None
    assert results.mean['scored objects'] == 0
    assert results.table().splitlines()[-1].split()[:4] == ['mean', '0', 'objects', '-']


def test_figures_follow_the_frame_rule_without_tracking_again(
    run: Run, tmp_path: Path, data: Path, settings: Callable, capsys
):
    first, _ = run()
    plan = Plan(open_dataset(data), settings())
    plan = replace(plan, rule=replace(plan.rule, skip_first=False))
    other = run_benchmark(plan, tmp_path / 'out', Means())
    assert 'finished already: 2 of 2 sequences' in capsys.readouterr().out
    assert other.mean['J'] > first.mean['J']
