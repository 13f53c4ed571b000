"""`lazy-vos bench` on the smallest images that the network takes."""

import json
import sys

import pytest

from lazy_vos_ros.cli.main import main

TINY = ['bench', '--sizes', '32', '--image', '48x32', '--frames', '12', '--threads', '1']


@pytest.fixture(scope='module')
def measured(tmp_path_factory):
    """Return the folder and the printed table of a run with one and two objects."""
    folder = tmp_path_factory.mktemp('bench')
    capture = pytest.MonkeyPatch()
    with (folder / 'out.txt').open('w') as out, capture.context() as patch:
        patch.setattr(sys, 'stdout', out)
        status = main(
            [
                *(*TINY, '--weights', 'compact', '--objects', '1,2', '--precisions', 'fp32'),
                *('--json', str(folder / 'bench.json'), '--plots', str(folder / 'plots')),
            ]
        )
    assert status == 0
    return folder


def test_rows_say_what_was_measured(measured):
    found = json.loads((measured / 'bench.json').read_text())
    assert found['machine']['cores'] >= 1
    rows = found['step']
    assert [row['case']['objects'] for row in rows] == [1, 2]
    for row in rows:
        figures = row['figures']
        assert figures['frames'] == 12
        assert 0 < figures['plain_ms']['p50'] <= figures['plain_ms']['p95']
        assert figures['memory_ms']['p50'] > 0
        assert 0 < figures['lazy_share'] < 1
        assert figures['memory_elements'] > 0
        assert list(figures['resident_mib']) == ['1', '12']
        # The system counts resident pages in batches.
        assert figures['peak_mib'] + 1 >= figures['resident_mib']['12'] > 50
        assert 0 < figures['floor']['ms'] < figures['plain_ms']['p95']
        assert figures['floor']['fewest_mb'] < figures['floor']['moved_mb']
        assert figures['fps'] == pytest.approx(1e3 / mean_ms(figures['course']), rel=0.01)
    one, two = (row['figures'] for row in rows)
    assert two['memory_mib'] > one['memory_mib']
    assert {path.name for path in (measured / 'plots').iterdir()} == {
        'growth_length.png',
        'growth_objects.png',
    }


def mean_ms(course):
    assert [point['frame'] for point in course] == list(range(1, 13))
    return sum(point['ms'] for point in course) / len(course)


def test_the_table_is_printed_with_every_row(measured):
    lines = (measured / 'out.txt').read_text().splitlines()
    assert any(line.startswith('weights') and 'memory ms p50/p95' in line for line in lines)
    assert sum(line.startswith('compact') and '48x32' in line for line in lines) == 2


def test_resuming_measures_only_what_is_missing(measured, capsys):
    before = json.loads((measured / 'bench.json').read_text())['step']
    more = [*TINY, '--weights', 'compact,nonsense.pth', '--json', str(measured / 'bench.json')]
    assert main([*more, '--resume']) == 1
    assert "weights are 'nonsense.pth'; allowed:" in capsys.readouterr().err
    again = [*TINY, '--weights', 'compact', '--objects', '2,1', '--precisions', 'fp32']
    assert main([*again, '--json', str(measured / 'bench.json'), '--resume']) == 0
    assert json.loads((measured / 'bench.json').read_text())['step'] == before
    assert '(1 of' not in capsys.readouterr().out


@pytest.mark.parametrize(
    ('given', 'words'),
    [
        (['--sizes', '256,x'], "--sizes: '256,x'; allowed: whole numbers from 32"),
        (['--objects', '0'], "--objects: '0'; allowed: whole numbers from 1"),
        (['--precisions', 'fp8'], "--precisions: 'fp8'; allowed: fp32, half, bf16, fp16"),
        (['--image', '640'], "--image: '640'; allowed: WIDTHxHEIGHT"),
        (['--frames', '0'], "--frames: '0'; allowed: a whole number from 1"),
        (['--seconds', 'nan'], "--seconds: 'nan'; allowed: a number from 0"),
        (['--ros', '--official', 'x'], 'not allowed with argument'),
    ],
)
def test_the_parser_refuses_what_is_not_allowed(given, words, capsys):
    with pytest.raises(SystemExit, match='2'):
        main(['bench', *given])
    assert words in capsys.readouterr().err


def test_a_file_of_something_else_is_named_with_what_is_wrong_and_kept(tmp_path, capsys):
    file = tmp_path / 'other.json'
    machine = '"machine": {}'
    for text, words in (
        ('{"a": 1}', 'it has no machine, step, ros, official'),
        ('[]', 'it is a list'),
        ('{"step": 1', 'it is no JSON: '),
        ('{"machine": 3, "step": [], "ros": [], "official": []}', 'machine is no mapping'),
        (f'{{{machine}, "step": "rows", "ros": [], "official": []}}', 'step is no list of rows'),
        (f'{{{machine}, "step": [], "ros": [{{}}], "official": []}}', 'ros is no list of rows'),
    ):
        file.write_text(text)
        assert main(['bench', '--resume', '--json', str(file)]) == 1
        told = capsys.readouterr().err
        assert f'other.json holds no results of bench: {words}' in told
        assert told.strip().endswith('allowed: another file')
        assert file.read_text() == text


@pytest.mark.parametrize(
    ('given', 'words'),
    [
        (['--long', '--frames', '5'], '--long with --frames or --seconds'),
        (['--ros', '--plots', 'x'], '--plots with --ros or --official'),
        (['--official', '/nowhere'], '/nowhere has no inference/inference_core.py'),
        (['--plots', __file__], f'{__file__} is a file; allowed: a folder'),
        (['--device', 'abacus'], "device is 'abacus'; allowed"),
    ],
)
def test_what_does_not_fit_is_refused_before_anything_is_measured(given, words, tmp_path, capsys):
    file = tmp_path / 'bench.json'
    assert main(['bench', '--json', str(file), *given]) == 1
    assert words in capsys.readouterr().err
    assert not file.exists()
