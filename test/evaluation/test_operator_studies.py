"""Tables, files and plots of the studies of the operator, on videos of coloured boxes."""

import csv
import sys
from argparse import ArgumentTypeError
from dataclasses import replace
from math import inf
from pathlib import Path

import cv2
import pytest

sys.path.append(str(Path(__file__).parent / 'benchmark'))
import painted

from lazy_vos_ros.cli import arguments
from lazy_vos_ros.cli import benchmark_studies
from lazy_vos_ros.engine.config import LazyConfig
from lazy_vos_ros.evaluation import balance
from lazy_vos_ros.evaluation import delay_study
from lazy_vos_ros.evaluation.benchmark import jobs
from lazy_vos_ros.evaluation.benchmark.datasets import open_dataset
from lazy_vos_ros.evaluation.benchmark.methods import parse_method
from lazy_vos_ros.evaluation.benchmark.run import Means
from lazy_vos_ros.evaluation.benchmark.run import Plan
from lazy_vos_ros.evaluation.benchmark.settings import Settings

CONFIG = LazyConfig(tau_u=0.3, tau_p=0.1, tau_m=0.5)


@pytest.fixture
def plan(tmp_path, monkeypatch):
    monkeypatch.setattr(jobs, 'networks_for', lambda settings: painted.NETWORKS)
    looks = {3: painted.UNCLEAR, 7: painted.UNCLEAR}
    root = tmp_path / 'videos'
    painted.write_folders(root, {'a': painted.moving_box(10)}, looks=looks)
    return Plan(open_dataset(root), Settings(method=parse_method('lazy', CONFIG), fps=2.0))


def _read(path):
    with path.open(encoding='utf-8') as file:
        return list(csv.DictReader(file))


def test_delays(plan, tmp_path):
    out, said = tmp_path / 'out', []
    lates = ('memory', 'replay', 'next-frame')
    rows = delay_study.run_delays(plan, (0, 1.0, 99.0), lates, out, Means(), say=said.append)
    assert [(row.late, row.seconds) for row in rows] == [
        ('', 0),
        *((late, seconds) for late in lates for seconds in (1.0, 99.0)),
        ('', inf),
    ]
    by_case = {(row.late, row.seconds): row for row in rows}
    assert by_case['', 0].results.mean['NoC'] == 2
    assert by_case['memory', 1.0].results.mean['NoC'] == 2
    assert by_case['memory', 99.0].results.mean['NoC'] == 0  # after the end
    assert by_case['memory', 99.0].questions == 1  # still open, so nothing else is asked
    assert by_case['', inf].questions == 0
    text = delay_study.delay_table(rows)
    assert len(text.splitlines()) == 1 + len(rows)
    assert 'never' in text
    out.mkdir(exist_ok=True)
    delay_study.write_delays(rows, out / 'delays.csv')
    table = _read(out / 'delays.csv')
    assert [row['late'] for row in table][:2] == ['-', 'memory']
    assert float(table[0]['R@0.5']) == by_case['', 0].results.mean['R@0.5']
    delay_study.draw_delays(rows, out / 'delays')
    assert cv2.imread(str(out / 'delays.png')).shape[0] > 300
    assert 'replay' in (out / 'delays.svg').read_text()
    assert any('after 1 s, replay' in words for words in said)


def test_replay_is_given_all_the_time_and_room_that_it_needs(plan):
    late = delay_study.plan_with_delay(plan, 1.0, 'replay').settings
    assert (late.method.config.late, late.method.config.replay_seconds) == ('replay', inf)
    assert (late.operator_delay, late.delay_frames, late.late) == (1.0, 2, 'replay')
    other = delay_study.plan_with_delay(plan, 1.0, 'next-frame').settings
    assert other.method.config.late == 'memory'


def test_balance(plan, tmp_path, monkeypatch):
    monkeypatch.setattr(balance, 'FACTORS', (0.5, 1.0))
    monkeypatch.setattr(balance, 'LEVELS', (0.2, 0.9))
    monkeypatch.setattr(balance, 'MEANS', (1.0,))
    monkeypatch.setattr(balance, 'INTERVALS', (4, 2))
    out = tmp_path / 'out'
    points = balance.run_balance(plan, CONFIG, out, Means(), say=lambda words: None)
    curves = [point.curve for point in points]
    assert {*curves} == {*balance.LOOKS, balance.ALONE}
    noc = {(point.curve, point.knob): point.results.mean['NoC'] for point in points}
    assert noc[balance.ALONE, 'lazy-auto'] == 0
    assert (noc['interval', 'frames=4'], noc['interval', 'frames=2']) == (2, 4)
    assert noc['s-trigger', 'S=0.9'] == 0
    assert noc['s-trigger', 'S=0.2'] == noc['lazy', 'tau_u=0.3'] == 2
    assert len(balance.balance_table(points).splitlines()) == 1 + len(points)
    balance.write_balance(points, out / 'balance.csv')
    assert len(_read(out / 'balance.csv')) == len(points)
    balance.draw_balance(points, out / 'balance')
    first = (out / 'balance.svg').read_bytes()
    balance.draw_balance(points, out / 'balance')
    assert (out / 'balance.svg').read_bytes() == first
    assert cv2.imread(str(out / 'balance.png')) is not None


def test_curves_differ_in_more_than_colour():
    for looks in (balance.LOOKS, delay_study.LOOKS):
        for what in ('colour', 'marker', 'style', 'label'):
            assert len({str(getattr(look, what)) for look in looks.values()}) == len(looks)


def test_triggers_of_the_balance_are_what_they_are_called(plan):
    plans = [(curve, one) for curve, _, one in balance.balance_plans(plan, CONFIG)]
    for curve, one in plans:
        method = one.settings.method
        if curve in ('lazy', 'ds-trigger', 's-trigger'):
            assert method.config.trigger == ('level' if curve == 's-trigger' else 'derivative')
            assert method.config.pseudo_corrections == (curve == 'lazy')
            assert method.config.user_corrections
        else:
            assert not method.config.user_corrections
    assert replace(plan).settings == plan.settings


@pytest.mark.parametrize(
    ('text', 'values'), [('0,0.5,10', (0, 0.5, 10)), ('3', (3,)), ('1,1,0', (0, 1))]
)
def test_delays_as_text(text, values):
    assert arguments.numbers(text) == values


@pytest.mark.parametrize('text', ['', 'soon', '1,-1', 'inf', 'nan'])
def test_delays_that_are_none(text):
    with pytest.raises(ArgumentTypeError, match='allowed'):
        arguments.numbers(text)


def test_uses_of_late_answers_as_text():
    assert benchmark_studies.lates('memory,next-frame') == ('memory', 'next-frame')
    with pytest.raises(ArgumentTypeError, match='memory, replay, next-frame'):
        benchmark_studies.lates('memory,never')
