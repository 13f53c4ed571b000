import json
from dataclasses import replace

import pytest

from lazy_vos_ros.evaluation.speed.case import Case
from lazy_vos_ros.evaluation.speed.figures import BLOCKS
from lazy_vos_ros.evaluation.speed.figures import FrameTime
from lazy_vos_ros.evaluation.speed.figures import course
from lazy_vos_ros.evaluation.speed.figures import percentiles
from lazy_vos_ros.evaluation.speed.pace import Pace
from lazy_vos_ros.evaluation.speed.plan import Plan
from lazy_vos_ros.evaluation.speed.plan import image_for
from lazy_vos_ros.evaluation.speed.plots import largest_family
from lazy_vos_ros.evaluation.speed.results_file import ResultsFile
from lazy_vos_ros.evaluation.speed.run import measure_rows

CASE = Case('compact', 64, 1, 'fp32', 114, 64, 'cpu', 1, 20, 0.0)
MACHINE = {'processor': 'abacus', 'cores': 2}


def frame(total, memorised=False):
    return FrameTime(total, 0.0, 0.0, 0.0, total, memorised, 100.0)


@pytest.fixture
def file(tmp_path):
    return ResultsFile(tmp_path / 'folder' / 'bench.json', MACHINE)


def test_one_thing_is_varied_at_a_time_or_everything():
    plan = Plan(('official-random',), (256, 480), (1, 2, 4), ('fp32', 'half'))
    rows = [(case.size, case.objects, case.precision) for case in plan.cases(full=False)]
    assert rows == [
        (256, 1, 'fp32'),
        (480, 1, 'fp32'),
        (256, 2, 'fp32'),
        (256, 4, 'fp32'),
        (256, 1, 'bf16'),
    ]
    everything = plan.cases(full=True)
    assert len(everything) == len(set(everything)) == 2 * 3 * 2
    on_gpu = replace(plan, device='cuda:1').cases(full=False)
    assert {case.precision for case in on_gpu} == {'fp32', 'fp16'}


def test_the_compact_network_is_measured_in_half_precision_too():
    plan = Plan(('compact',), (256,), (1,), ('fp32', 'half'))
    assert [case.precision for case in plan.cases(full=False)] == ['fp32', 'bf16']


def test_images_are_at_least_as_large_as_the_network_works():
    assert image_for(256) == image_for(480) == (854, 480)
    assert image_for(720) == (1280, 720)


def test_percentiles_are_those_of_the_definition():
    assert percentiles([0.001 * number for number in range(101)]) == {'p50': 50.0, 'p95': 95.0}
    assert percentiles([]) == {}


@pytest.mark.parametrize('frames', [1, BLOCKS, BLOCKS + 1, 10 * BLOCKS + 3])
def test_the_course_covers_all_frames_in_few_points(frames):
    points = course([frame(0.001 * (index + 1)) for index in range(frames)])
    assert len(points) <= BLOCKS
    assert points[-1]['frame'] == frames
    assert [point['ms'] for point in points] == sorted(point['ms'] for point in points)


def test_rows_are_kept_at_once_and_read_again(file):
    row = {'case': CASE.record(), 'figures': {'fps': 3.0}}
    file.keep('step', row)
    again = ResultsFile(file.path, MACHINE)
    assert again.find('step', CASE.record()) == row
    assert again.find('step', replace(CASE, size=65).record()) is None
    again.keep('step', {'case': CASE.record(), 'figures': {'fps': 4.0}})
    assert [item['figures'] for item in again.rows('step')] == [{'fps': 4.0}]
    assert Case.from_record(again.rows('step')[0]['case']) == CASE
    again.begin('step')
    assert ResultsFile(file.path, MACHINE).rows('step') == []


def test_results_of_another_machine_and_other_files_are_refused(file):
    file.keep('step', {'case': CASE.record(), 'figures': {}})
    with pytest.raises(ValueError, match=r'another machine \(cores: 2, now 4\)'):
        ResultsFile(file.path, {**MACHINE, 'cores': 4})
    file.path.write_text('{"machine": {}}')
    with pytest.raises(ValueError, match='no results of bench'):
        ResultsFile(file.path, MACHINE)
    with pytest.raises(ValueError, match='is a folder'):
        ResultsFile(file.path.parent, MACHINE)


def test_a_row_that_fails_says_so_and_is_measured_again_others_are_not(file, capsys):
    cases = [CASE, replace(CASE, objects=2), replace(CASE, objects=3)]
    asked = []

    def measure(case, on_frame):
        asked.append(case.objects)
        on_frame(case.frames)
        if case.objects == 2 and len(asked) < 4:
            raise RuntimeError('no memory left')
        return {'fps': float(case.objects)}

    def run():
        return measure_rows('step', cases, file, measure, lambda row: str(row['case']['objects']))

    rows = run()
    assert [row.get('error') for row in rows] == [None, 'no memory left', None]
    assert json.loads(file.path.read_text())['step'] == rows
    capsys.readouterr()
    rows = run()
    assert asked == [1, 2, 3, 2]
    assert sorted(row['figures']['fps'] for row in rows) == [1.0, 2.0, 3.0]


def test_an_interrupted_measurement_keeps_what_is_finished(file):
    def measure(case, on_frame):
        if case.objects == 2:
            raise KeyboardInterrupt
        return {'fps': 1.0}

    cases = [CASE, replace(CASE, objects=2)]
    with pytest.raises(KeyboardInterrupt):
        measure_rows('step', cases, file, measure, str)
    assert [row['case']['objects'] for row in ResultsFile(file.path, MACHINE).rows('step')] == [1]


def test_the_time_left_follows_from_the_rows_so_far(capsys):
    now = [0.0]
    cases = [CASE, CASE, replace(CASE, frames=200)]
    pace = Pace(cases, clock=lambda: now[0])
    assert pace.left == ''
    now[0] = 10.0
    pace.row(cases[0], 'first')
    expected = 10.0 * (cases[1].expected + cases[2].expected) / cases[0].expected
    assert pace.left == f', about {expected:.0f} s left'
    pace.frame(cases[1], 10)
    assert pace.left != f', about {expected:.0f} s left'
    for case in cases[1:]:
        pace.row(case, 'another')
    assert pace.left == ''
    pace.close()
    assert '(1 of 3, about' in capsys.readouterr().out


def test_plots_take_the_rows_that_differ_in_one_thing():
    cases = [CASE, replace(CASE, objects=4), replace(CASE, objects=2), replace(CASE, size=128)]
    rows = [{'case': case.record(), 'figures': {}} for case in cases]
    assert [row['case']['objects'] for row in largest_family(rows, 'objects')] == [1, 2, 4]
    assert [row['case']['size'] for row in largest_family(rows, 'size')] == [64, 128]
    assert largest_family([], 'size') == []


def test_cases_of_a_file_that_are_none_are_refused():
    with pytest.raises(ValueError, match='no row of the table'):
        Case.from_record({'weights': 'compact', 'colour': 'red'})
