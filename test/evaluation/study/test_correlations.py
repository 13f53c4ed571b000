import pytest

from lazy_vos_ros.evaluation.study.correlations import CONSTANT_IOU
from lazy_vos_ros.evaluation.study.correlations import CONSTANT_MEASURE
from lazy_vos_ros.evaluation.study.correlations import TOO_FEW
from lazy_vos_ros.evaluation.study.correlations import correlate
from lazy_vos_ros.evaluation.study.correlations import over_objects
from lazy_vos_ros.evaluation.study.measures import Measure
from lazy_vos_ros.evaluation.study.observations import Observation
from lazy_vos_ros.evaluation.study.tables import left_out
from lazy_vos_ros.evaluation.study.tables import table
from lazy_vos_ros.evaluation.study.tables import write_correlations
from lazy_vos_ros.evaluation.study.tables import write_observations
from lazy_vos_ros.evaluation.study.tables import write_summary

S, S_R = Measure('S'), Measure('S_R', 0.05)
IOUS = [0.9, 0.8, 0.7, 0.6, 0.5, 0.4]


def life(
    object_id: int,
    ious: list[float],
    s: list[float],
    s_r: list[float],
    absent: tuple[int, ...] = (),
) -> list[Observation]:
    return [
        Observation(
            sequence='clip',
            frame=frame + 1,
            object_id=object_id,
            committee='single',
            iou=iou,
            present=frame not in absent,
            predicted=7,
            values={'S': a, 'S_R@0.05': b},
        )
        for frame, (iou, a, b) in enumerate(zip(ious, s, s_r, strict=True))
    ]


def rhos(observations: list[Observation], objects: tuple[int, ...] = (1,), **options: bool):
    keys = [('clip', item) for item in objects]
    found = correlate('single', keys, observations, (S, S_R), **options)
    return {(item.object_id, item.measure.name): item for item in found}


def test_a_measure_that_rises_when_the_mask_fails_is_positive():
    found = rhos(life(1, IOUS, [1, 2, 3, 4, 5, 6], [6, 5, 4, 3, 2, 1]))
    assert (found[1, 'S'].rho, found[1, 'S_R'].rho) == (1.0, -1.0)
    assert found[1, 'S'].frames == 6
    assert found[1, 'S'].mean_iou == pytest.approx(0.65)


def test_objects_are_taken_one_by_one():
    # Each alone is a perfect warning; together, with its other level, the ranks would mix.
    seen = life(1, IOUS, [1, 2, 3, 4, 5, 6], [1] * 5 + [2])
    seen += life(2, [value / 2 for value in IOUS], [-6, -5, -4, -3, -2, -1], [1] * 5 + [2])
    found = rhos(seen, (1, 2))
    assert found[1, 'S'].rho == found[2, 'S'].rho == 1.0


def test_constant_series_and_short_lives_are_left_out_and_named():
    seen = life(1, IOUS, [3] * 6, [1, 2, 3, 4, 5, 6])
    seen += life(2, [1.0] * 6, [1, 2, 3, 4, 5, 6], [1, 2, 3, 4, 5, 6])
    seen += life(3, IOUS[:4], [1, 2, 3, 4], [1, 2, 3, 4])
    found = rhos(seen, (1, 2, 3, 4))
    assert found[1, 'S'].excluded == CONSTANT_MEASURE
    assert found[1, 'S_R'].rho == 1.0
    assert found[2, 'S'].excluded == found[2, 'S_R'].excluded == CONSTANT_IOU
    assert found[3, 'S'].excluded == found[4, 'S'].excluded == TOO_FEW
    assert (found[4, 'S'].frames, found[4, 'S'].mean_iou) == (0, None)
    rows = over_objects(list(found.values()))
    assert [(len(row.rhos), row.excluded.total()) for row in rows] == [(0, 4), (1, 3)]
    assert rows[0].quartiles is None
    lines = left_out(list(found.values()))
    assert lines[0] == 'clip object 1: constant measure (single S)'
    assert lines[3] == 'clip object 4: too few frames (all measures)'


def test_frames_without_the_object_count_only_if_asked():
    ious = [*IOUS, 0.0, 0.0]
    seen = life(1, ious, [1, 2, 3, 4, 5, 6, 0, 0], [0] * 8, absent=(6, 7))
    assert rhos(seen)[1, 'S'].rho == 1.0
    assert rhos(seen)[1, 'S'].frames == 6
    with_absent = rhos(seen, with_absent=True)[1, 'S']
    assert with_absent.frames == 8
    assert with_absent.rho < 0.5


def test_quartiles_over_objects():
    seen = []
    for object_id in range(1, 6):
        # From perfectly wrong to perfectly right, by swapping more and more neighbours.
        measure = sorted(range(6), reverse=object_id < 3)
        if object_id in (2, 4):
            measure[0], measure[-1] = measure[-1], measure[0]
        seen += life(object_id, IOUS, [float(value) for value in measure], [0.0] * 6)
    found = rhos(seen, (1, 2, 3, 4, 5))
    row = over_objects([item for item in found.values() if item.measure == S])[0]
    low, middle, high = sorted(row.rhos)[1:4]
    assert row.quartiles == pytest.approx((low, middle, high))
    lines = table([row]).splitlines()
    assert lines[0].split()[:3] == ['committee', 'measure', 'objects']
    assert lines[1].split() == ['single', 'S', '5', '0', *(f'{v:.2f}' for v in row.quartiles)]


def test_csv_files_hold_what_was_found(tmp_path):
    seen = life(1, IOUS, [1, 2, 3, 4, 5, 6], [1] * 6)
    found = list(rhos(seen).values())
    write_observations(tmp_path / 'frames.csv', seen)
    write_correlations(tmp_path / 'correlations.csv', found)
    write_summary(tmp_path / 'summary.csv', over_objects(found))
    frames = (tmp_path / 'frames.csv').read_text().splitlines()
    assert frames[0] == 'sequence,frame,object,committee,iou,present,predicted_px,S,S_R@0.05'
    assert frames[1] == 'clip,1,1,single,0.9,1,7,1,1'
    assert len(frames) == 7
    assert (tmp_path / 'correlations.csv').read_text().splitlines()[1:] == [
        'clip,1,single,S,,6,0.65,1,',
        'clip,1,single,S_R,0.05,6,0.65,,constant measure',
    ]
    assert (tmp_path / 'summary.csv').read_text().splitlines()[1:] == [
        'single,S,,1,0,1,1,1',
        'single,S_R,0.05,0,1,,,',
    ]
