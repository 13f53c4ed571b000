import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import painted
import pytest

from lazy_vos_ros.engine.config import LazyConfig
from lazy_vos_ros.evaluation.benchmark.datasets import open_dataset
from lazy_vos_ros.evaluation.benchmark.figures import KEYS
from lazy_vos_ros.evaluation.benchmark.methods import parse_method
from lazy_vos_ros.evaluation.benchmark.paper_tables import TABLES
from lazy_vos_ros.evaluation.benchmark.run import Means
from lazy_vos_ros.evaluation.benchmark.run import Plan
from lazy_vos_ros.evaluation.benchmark.suite_run import SuiteTable
from lazy_vos_ros.evaluation.benchmark.suite_run import run_suite
from lazy_vos_ros.evaluation.benchmark.suites import SUITES
from lazy_vos_ros.evaluation.benchmark.suites import SuiteRow
from lazy_vos_ros.evaluation.benchmark.suites import suite_named

Suite = Callable[..., SuiteTable]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    looks = {3: painted.UNCLEAR, 5: painted.DARK, 7: painted.UNCLEAR}
    frames = [{1: painted.box(4)}] * 12
    return painted.write_folders(tmp_path / 'data', {'a': frames}, looks=looks)


@pytest.fixture
def suite(tmp_path: Path, data: Path, settings: Callable, colour_networks: None) -> Suite:
    """Run a suite on a short video; rows in `absent` lack weights."""

    def run(name: str, *, absent=(), said=None, seeds=(0,), **options) -> SuiteTable:
        def plan_of(row: SuiteRow) -> Plan:
            if row.name in absent:
                raise RuntimeError('weights XMem-s012.pth are not here')
            chosen = settings(row.method, init=suite_named(name).init)
            return Plan(open_dataset(data), chosen, seeds)

        say = (said if said is not None else []).append
        return run_suite(suite_named(name), plan_of, tmp_path / 'out', Means(), say=say, **options)

    return run


@pytest.mark.parametrize('name', SUITES)
def test_every_row_means_a_method_and_has_a_place_in_the_printed_table(name: str):
    rows = SUITES[name].rows
    assert [row.name for row in rows] == list(dict.fromkeys(row.name for row in rows))
    assert {row.name for row in rows} == TABLES[name].keys()
    for row in rows:
        assert bool(row.missing) is (row.method is None)
        if row.method is not None:
            parse_method(row.method, LazyConfig())
        assert TABLES[name][row.name].keys() <= set(KEYS)


def test_printed_efforts_are_those_of_65_objects():
    for table in TABLES.values():
        for printed in table.values():
            if 'NoC' in printed:
                assert printed['ACI'] == pytest.approx(printed['NoC'] / 65, rel=0.1)


def test_table1_runs_all_rows_but_qdmn(suite: Suite):
    said: list[str] = []
    table = suite('table1', said=said)
    assert table.results.keys() == {'XMem', 'Lazy-XMem†', 'Rand-Lazy-XMem', 'Lazy-XMem'}
    assert table.results['Lazy-XMem'].mean['NoC'] == 2
    assert table.results['XMem'].mean['NoC'] == 0
    lines = table.text().splitlines()
    assert lines[0] == 'table1: first mask from one click'
    assert lines[1].startswith('here: ')
    assert ', 1 sequence, 1 object, size of the weights; ' in lines[1]
    assert lines[2].split() == list(KEYS)
    texts = {line[:22].strip(): line for line in lines[3:] if 'here' in line}
    assert 'missing: a backend for the tracker QDMN' in texts['Lazy-QDMN']
    papers = [line for line in lines if line.strip().startswith('paper')]
    assert len(papers) == 5
    assert papers[-1].split() == [
        'paper', '-', '-', '64.3', '70.2', '-', '-', '325', '18.4', '5.02', '-',
    ]  # fmt: skip
    assert any(line.startswith('order by NoC: ') for line in lines)
    assert said[-1].startswith('table1, Rand-Lazy-XMem')


def test_drawn_corrections_cost_as_much_as_asked_ones(suite: Suite):
    table = suite('tableS1', seeds=(0, 1))
    about = table.results['Rand-Lazy-XMem'].about
    assert about['settings']['random_mean'] == table.results['Lazy-XMem'].mean['NoC'] == 2
    table = suite('tableS1', random_mean=0.5)
    assert table.results['Rand-Lazy-XMem'].about['settings']['random_mean'] == 0.5


def test_rows_whose_weights_are_absent_say_so(suite: Suite):
    table = suite('table2', absent=('UDU', 'all'))
    assert table.missing == dict.fromkeys(('UDU', 'all'), 'weights XMem-s012.pth are not here')
    assert 'UDU + user' in table.results
    rows = {row['name']: row for row in table.to_json()['rows']}
    assert rows['UDU']['results'] is None
    assert rows['UDU']['missing'] == 'weights XMem-s012.pth are not here'
    assert rows['UDU']['paper'] == {'R@0.1': 56.3, 'R@0.25': 54.5}
    assert rows['none']['results']['mean']['NoC'] == 0
    json.dumps(table.to_json())


def test_equal_rows_of_two_suites_are_run_once(suite: Suite, capsys):
    suite('table2')
    capsys.readouterr()
    suite('table1')
    printed = capsys.readouterr().out
    assert printed.count('finished already: 1 of 1 sequence') == 3
    assert printed.count('(1 of 1)') == 1  # the drawn one


def test_order_of_rows_is_compared_with_the_printed_one(suite: Suite):
    table = suite('tableS1')
    means = {'XMem': 0.5, 'Lazy-XMem†': 0.4, 'Lazy-XMem': 0.6}  # printed: 53.7, 57.2, 63.5
    results = {
        name: replace(item, mean={**item.mean, 'J&F': means.get(name)})
        for name, item in table.results.items()
    }
    (line,) = [text for text in replace(table, results=results).order() if 'J&F' in text]
    assert line == 'order by J&F: 2 of 3 pairs as printed; not: XMem < Lazy-XMem†'


def test_unknown_suite():
    with pytest.raises(ValueError, match="suite is 'table9'; allowed: table1, table2, "):
        suite_named('table9')
