import json
from collections.abc import Callable
from pathlib import Path

import cv2
import moving_disc
import numpy as np
import pytest

from lazy_vos_ros.cli.main import run_command
from lazy_vos_ros.evaluation.label_images import read_labels
from lazy_vos_ros.evaluation.label_images import write_labels

Benchmark = Callable[..., int]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Two clips of the moving disc, annotated in every second frame."""
    root = tmp_path / 'data'
    for name in ('one', 'two'):
        frames = moving_disc.write_frames(root / name / 'JPEGImages', 5)
        (root / name / 'Annotations').mkdir()
        for index in (0, 2, 4):
            labels = moving_disc.mask(index).astype(np.uint8)
            write_labels(root / name / 'Annotations' / f'{index:05d}.png', labels)
        assert len(list(frames.iterdir())) == 5
    return root


@pytest.fixture
def benchmark(tmp_path: Path, data: Path) -> Benchmark:
    """Run `lazy-vos benchmark` in this process on CPU at a small size."""

    def call(*arguments: str) -> int:
        fixed = ['--dataset', str(data), '--size', '96', '--device', 'cpu', '--threads', '1']
        out = [] if '--out' in arguments else ['--out', str(tmp_path / 'out')]
        return run_command('benchmark', [*fixed, *arguments, *out])

    return call


def test_lazy_with_clicks_end_to_end(benchmark: Benchmark, tmp_path: Path, capsys):
    arguments = ('--method', 'lazy', '--init', 'click', '--masks', '--fps', '5')
    assert benchmark(*arguments) == 0
    told = capsys.readouterr().out
    assert '2 sequences, 10 frames, taken for 5 a second' in told
    assert 'compact_tracker.safetensors (SHA-256 ' in told
    content = json.loads((tmp_path / 'out' / 'results.json').read_text())
    assert (content['method'], content['init'], content['layout']) == ('lazy', 'click', 'folders')
    assert 'compact_refiner.safetensors' in content['settings']['sha256']
    for sequence in content['sequences']:
        (one,) = sequence['objects']
        assert one['scored'] == 2  # of three annotated frames, one is the first
        assert one['J'] > 0.6
    masks = sorted((tmp_path / 'out' / 'masks' / 'one').iterdir())
    assert [path.name for path in masks] == [f'{index:05d}.png' for index in range(5)]
    assert read_labels(masks[-1]).any()
    assert benchmark(*arguments) == 0
    assert 'finished already: 2 of 2 sequences' in capsys.readouterr().out


def test_plain_tracker_needs_no_refiner(benchmark: Benchmark, tmp_path: Path, capsys):
    out = tmp_path / 'here' / 'plain.json'
    assert benchmark('--method', 'xmem', '--sequences', 'two', '--out', str(out)) == 0
    assert 'refiner' not in capsys.readouterr().out
    content = json.loads(out.read_text())
    assert content['refiner'] == 'none'
    assert [item['name'] for item in content['sequences']] == ['two']


def test_suite_tells_what_is_missing(benchmark: Benchmark, tmp_path: Path, capsys):
    assert benchmark('--suite', 'tableS2', '--weights', 'xmem-s012', '--sequences', 'one') == 0
    told = capsys.readouterr().out
    assert told.count('missing: weights XMem-s012.pth are not in') == 4
    assert 'lazy-vos weights fetch xmem-s012' in told
    rows = json.loads((tmp_path / 'out' / 'tableS2.json').read_text())['rows']
    assert [row['results'] for row in rows] == [None] * 4


def test_suite_runs_its_rows(benchmark: Benchmark, tmp_path: Path, capsys):
    assert benchmark('--suite', 'tableS2', '--sequences', 'one') == 0
    told = capsys.readouterr().out
    assert 'S-trigger + IDU' in told
    rows = json.loads((tmp_path / 'out' / 'tableS2.json').read_text())['rows']
    assert [row['results']['refiner'] for row in rows] == ['ground truth'] * 4
    assert [row['results']['init'] for row in rows] == ['mask'] * 4
    triggers = [row['results']['settings']['lazy']['trigger'] for row in rows]
    assert triggers == ['level', 'level', 'derivative', 'derivative']


def test_settings_reach_the_lazy_layer(benchmark: Benchmark, tmp_path: Path):
    options = ('--set', 'tau_m=0.9', '--set', 'soft_others=false', '--one-question-in', '60')
    assert benchmark('--sequences', 'one', *options) == 0
    content = json.loads((tmp_path / 'out' / 'results.json').read_text())
    lazy = content['settings']['lazy']
    assert (lazy['tau_m'], lazy['soft_others']) == (0.9, False)
    assert lazy['questions_per_minute'] == 1
    assert content['settings']['one_question_in'] == 60


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (['--method', 'best'], "method is 'best'; allowed: plain, xmem"),
        (['--init', 'box'], "init is 'box'; allowed: mask, click"),
        (['--operator', 'me'], "operator is 'me'; allowed: gt_center, largest_error"),
        (['--refiner', 'huge'], "refiner is 'huge'; allowed: "),
        (['--backend', 'sam'], "backend is 'sam'; allowed: "),
        (['--weights', 'huge'], "weights are 'huge'; allowed: "),
        (['--weights', 'xmem-s012'], 'fetch them with: lazy-vos weights fetch xmem-s012'),
        (['--profile', 'fast'], "profile is 'fast'; allowed: paper, code"),
        (['--set', 'tau_u'], '--set tau_u; allowed: NAME=VALUE'),
        (['--set', 'tau_x=1'], '--set tau_x=1; allowed: NAME=VALUE with one of tau_u, '),
        (['--set', 'tau_u=high'], "tau_u is 'high'; allowed: number in [0, inf]"),
        (['--sequences', 'three'], 'the data set has no sequence three; allowed: one, two'),
        (['--suite', 'table1', '--method', 'lazy'], '--suite has methods and first masks'),
        (['--suite', 'table1', '--balance'], '--suite with a study of the operator'),
        (['--suite', 'table9'], "suite is 'table9'; allowed: table1, table2"),
        (['--layout', 'davis2017'], 'has no folder JPEGImages, as the layout davis2017 has'),
        (['--late', 'replay'], '--late without --operator-delay'),
        (['--s-threshold', '0.3', '--method', 'lazy'], '--s-threshold without s-trigger'),
        (['--s-threshold', '0.3'], '--s-threshold without s-trigger'),
        (['--s-threshold', '0.3', '--balance'], '--s-threshold without s-trigger'),
        (['--s-threshold', '0.3', '--suite', 'table1'], '--s-threshold without s-trigger'),
        (
            ['--dataset', '/nowhere/at'],
            '/nowhere/at does not exist; allowed: the folder of a data set',
        ),
        (['--layout', 'lvos'], 'has no folder JPEGImages, as the layout lvos has'),
    ],
)
def test_wrong_arguments_are_one_clear_line_and_nothing_is_made(
    benchmark: Benchmark, tmp_path: Path, capsys, arguments: list[str], message: str
):
    assert benchmark(*arguments) == 1
    told = capsys.readouterr().err
    assert message in told
    assert len(told.strip().splitlines()) == 1
    assert not (tmp_path / 'out').exists()


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (['--size', '0'], "--size: '0'; allowed: a short side from 1 to 4096, or -1"),
        (['--size', 'big'], "--size: 'big'; allowed: a short side from 1"),
        (['--size', '-2'], "--size: '-2'; allowed: a short side from 1"),
        (['--operator-delay', 'abc'], "--operator-delay: 'abc'; allowed: numbers from 0"),
        (['--operator-delay', '1,inf'], "--operator-delay: '1,inf'; allowed: numbers from 0"),
        (['--late', 'never'], "--late: 'never'; allowed: memory, replay, next-frame"),
        (['--seeds', '1,1'], "--seeds: '1,1'; allowed: different whole numbers from 0"),
        (['--sequences', ','], "--sequences: ','; allowed: names, such as A,B"),
        (['--dask', 'here'], "--dask: 'here'; allowed: PROTOCOL://HOST:PORT"),
        (['--seeds', 'x'], "--seeds: 'x'; allowed: "),
        (['--fps', '0'], "--fps: '0'; allowed: a number above 0"),
        (['--fps', 'nan'], "--fps: 'nan'; allowed: a number above 0"),
        (['--s-threshold', '-1'], "--s-threshold: '-1'; allowed: a number from 0"),
        (['--random-mean', 'x'], "--random-mean: 'x'; allowed: a number from 0"),
        (['--one-question-in', '0'], "--one-question-in: '0'; allowed: a whole number from 1"),
        (['--threads', '0'], "--threads: '0'; allowed: a whole number from 1"),
        (['--workers', '1.5'], "--workers: '1.5'; allowed: a whole number from 1"),
    ],
)
def test_parser_refuses_what_is_no_value(
    benchmark: Benchmark, tmp_path: Path, capsys, arguments: list[str], message: str
):
    with pytest.raises(SystemExit) as end:
        benchmark(*arguments)
    assert end.value.code == 2
    told = capsys.readouterr()
    assert f'lazy-vos benchmark: argument {message}' in told.err
    assert len(told.err.strip().splitlines()) == 1
    assert not told.out
    assert not (tmp_path / 'out').exists()


def test_damaged_sequence_is_named_and_there_are_no_results(
    benchmark: Benchmark, tmp_path: Path, data: Path, capsys
):
    wide = np.zeros((20, 30, 3), np.uint8)
    assert cv2.imwrite(str(data / 'one' / 'JPEGImages' / '00003.png'), wide)
    assert benchmark('--method', 'xmem') == 1
    told = capsys.readouterr().err
    assert '1 of 2 sequences failed' in told
    assert '00003.png is 30x20; allowed: the size of the images before it, 192x128' in told
    assert not (tmp_path / 'out' / 'results.json').exists()
    assert (tmp_path / 'out' / 'sequences' / 'two.seed0.json').is_file()
