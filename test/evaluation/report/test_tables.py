from dataclasses import replace

import pytest
from evaluated import BEGIN
from evaluated import asked
from evaluated import evaluated
from evaluated import frame
from evaluated import run_of
from evaluated import state
from evaluated import usual
from evaluated import with_truth

from lazy_vos_ros.engine.config import LazyConfig
from lazy_vos_ros.evaluation.report import tables
from lazy_vos_ros.evaluation.report import words
from lazy_vos_ros.evaluation.report.comparison import MEASURES
from lazy_vos_ros.evaluation.report.comparison import comparison_table
from lazy_vos_ros.evaluation.report.comparison import difference
from lazy_vos_ros.evaluation.report.comparison import setting_differences
from lazy_vos_ros.evaluation.report.curves import curves_of
from lazy_vos_ros.evaluation.report.headline import headlines
from lazy_vos_ros.evaluation.report.headline import sentence
from lazy_vos_ros.evaluation.runs import Diagnosis


def measure(name: str):
    return next(item for item in MEASURES if item.name == name)


@pytest.mark.parametrize(
    ('name', 'first', 'other', 'text'),
    [
        ('questions', 3.0, 1.0, '−2 better'),
        ('questions', 1.0, 3.0, '+2 worse'),
        ('questions', 2.0, 2.0, 'the same'),
        ('J (IoU)', 0.5, 0.625, '+0.125 better'),
        ('J (IoU)', 0.5, 0.5001, 'the same'),
        ('length of the video', 10.0, 12.5, '+2.5 s'),
        ('J (IoU)', None, 0.5, '–'),
        ('J (IoU)', 0.5, float('nan'), '–'),
    ],
)
def test_difference(name, first, other, text):
    assert difference(measure(name), first, other) == text


def test_comparison_leaves_out_what_no_run_has():
    runs = [usual(), usual('tuesday')]
    names = [row[0] for row in comparison_table(runs).rows]
    assert 'questions' in names
    assert 'J (IoU)' not in names
    table = comparison_table([with_truth(runs[0]), runs[1]])
    assert ('J (IoU)', '0.600', '–', '–') in table.rows
    assert table.head == ('measure', 'monday', 'tuesday', 'difference')
    assert comparison_table([*runs, usual('friday')]).head[-1] == 'friday: difference'


def test_settings_that_differ_are_told():
    runs = [usual(), replace(usual('tuesday'), config=replace(LazyConfig(), tau_u=0.6))]
    assert setting_differences(runs).rows == (('tau_u', '0.5', '0.6'),)
    assert setting_differences([usual(), usual('tuesday')]).rows == ()


def test_settings_tell_what_the_bag_told_and_what_is_assumed():
    table = tables.settings_table(usual())
    rows = {row[0]: row[1:] for row in table.rows}
    assert rows['weights'] == ('tiny (random)', 'the tracker')
    assert rows['tau_u'] == ('0.5', 'the tracker')
    assert 'tau_m' not in rows
    assert 'tau_m' in table.note
    changed = replace(usual(), config=replace(LazyConfig(), tau_m=0.6))
    rows = {row[0]: row[1:] for row in tables.settings_table(changed).rows}
    assert rows['tau_m'] == ('0.6', 'this evaluation, not the default')
    assert tables.diagnostics_table(usual()).rows == (('faults', '0'),)


def test_objects_table_adds_up():
    run = usual()
    (row,) = tables.objects_table(run, [curves_of(run, 1)]).rows
    assert row[:7] == ('1 cup', '20', '3.8 s', '0.4 s', '0.25', '0.25', '1')
    assert row[7] == '1'


def test_quality_after_replays_has_a_row():
    run = with_truth(usual())
    assert [row[0] for row in tables.quality_table(run).rows] == ['1 cup']
    rows = tables.quality_table(replace(run, repaired=run.quality)).rows
    assert rows[1][:3] == ('mean after replays', '7', '0.600')


def test_long_tables_are_cut_and_say_so(monkeypatch):
    monkeypatch.setattr(tables, 'ROWS', 3)
    states = [state(number) for number in range(1, 6)]
    run = evaluated(run_of([frame(i, *states) for i in range(3)], []))
    table = tables.objects_table(run, [curves_of(run, number) for number in range(1, 6)])
    assert len(table.rows) == 3
    assert table.note.endswith('2 objects more are not shown.')


def test_warnings_that_differ_in_numbers_only_are_one():
    said = [('warn', 'no image for 1.5 s', 2), ('warn', 'no image for 12 s', 3), ('error', 'x', 1)]
    diagnoses = tuple(
        Diagnosis(BEGIN + 0.05 + 10 * i, level, 'lazy_vos: tracker', text, count)
        for i, (level, text, count) in enumerate(said)
    )
    assert tables.warnings_table(usual(diagnoses=diagnoses)).rows == (
        ('0 s', 'warn', 'lazy_vos: tracker', 'no image for 12 s', '5'),
        ('20 s', 'error', 'lazy_vos: tracker', 'x', '1'),
    )
    assert tables.warnings_table(usual()).rows == ()


def test_headlines_say_what_is_not_known():
    run = usual()
    found = {item.title: item for item in headlines(run, [curves_of(run, 1)])}
    assert found['Questions asked'].value == '1'
    assert found['Reaction time'].value == '0.6 s'
    assert found['Object absent'].value == '0.4\u00a0s'
    assert (found['Good masks'].value, 'Not known' in found['Good masks'].text) == ('–', True)
    known = {item.title: item for item in headlines(with_truth(run), [curves_of(run, 1)])}
    assert known['Good masks'].value == '100 %'


def test_sentence_counts():
    run = evaluated(run_of([frame(i) for i in range(9)], [*asked(2), *asked(6, later=1)]))
    assert sentence(run) == (
        'In 1.6 s of video the tracker followed 1 object and asked the operator 2 times.'
    )


def test_words():
    assert words.duration(59.94) == '59.9 s'
    assert words.duration(61.0) == '1 min 1 s'
    assert words.duration(3723.0) == '1 h 2 min'
    assert words.whole(1234567) == '1 234 567'
    assert words.number(-0.5) == '−0.50'
    assert words.number(-0.004) == '0.00'
    assert words.number(-0.4, '{:.0f}', 's') == '0 s'
    assert words.percent(None) == '–'
    assert words.listed(['a', '', 'b', 'c']) == 'a, b and c'
    assert words.clock(3725.0, 4000.0) == '1:02:05'
