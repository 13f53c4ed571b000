from collections.abc import Callable
from pathlib import Path

import numpy as np
import painted
import pytest
import torch

from lazy_vos_ros.engine.refiners.base import RefinedMask
from lazy_vos_ros.evaluation.benchmark.networks import Networks
from lazy_vos_ros.evaluation.benchmark.person import OracleForPerson
from lazy_vos_ros.evaluation.benchmark.protocol import track_sequence
from lazy_vos_ros.evaluation.label_images import read_labels

Track = Callable[..., object]


class Constant:
    """A refiner whose mask is always the same corner."""

    name = 'corner'

    def refine(self, frame, clicks, *, object_id, prior=None):
        return RefinedMask(torch.from_numpy(painted.box(0, 0, 4, 4)), 1.0)


@pytest.fixture
def track(tmp_path: Path, settings: Callable, files: Callable) -> Track:
    """Write a video and track it with coloured networks."""

    def run(frames, method='lazy', *, looks=None, annotated=None, networks=None, **fields):
        options = {key: fields.pop(key) for key in ('seed', 'masks') if key in fields}
        root = tmp_path / 'data'
        if not root.exists():
            painted.write_folders(root, {'a': frames}, looks=looks, annotated=annotated)
        return track_sequence(
            files(root), settings(method, **fields), networks or painted.NETWORKS, **options
        )

    return run


def test_perfect_tracker_scores_one_and_asks_nobody(track: Track):
    record = track(painted.moving_box(6))
    (item,) = record.objects
    assert item.j == item.f == (1.0,) * 6
    assert item.scored == tuple(range(6))
    assert item.present == (True,) * 6
    assert item.corrections == ()
    assert (item.object_id, item.first, item.frames) == (1, 0, 6)
    assert item.events == {'added': 1}
    assert (record.frames, record.backend, record.refiner) == (6, 'colour', 'colour')
    assert record.seconds > 0


def test_question_in_an_unclear_frame_is_answered_with_a_click_that_counts(track: Track):
    (item,) = track(painted.moving_box(8), looks={4: painted.UNCLEAR}).objects
    assert item.corrections == (4,)
    assert item.events == {'added': 1, 'asked': 1, 'answered': 1}


def test_without_a_user_the_tracker_corrects_itself(track: Track):
    networks = Networks(painted.ColourBackend, lambda backend, person: Constant())
    looks = {4: painted.UNCLEAR}
    (item,) = track(painted.moving_box(8), 'lazy-auto', looks=looks, networks=networks).objects
    assert item.corrections == ()
    assert item.j == (1, 1, 1, 1, 0, 1, 1, 1)
    assert item.events == {'added': 1, 'pseudo': 1}


def test_plain_tracker_is_left_alone(track: Track):
    record = track(painted.moving_box(8), 'plain', looks={4: painted.UNCLEAR, 5: painted.DARK})
    assert record.objects[0].events == {'added': 1}
    assert record.objects[0].j[5] == 0
    assert record.refiner == 'none'


def test_question_in_a_frame_without_truth_is_no_correction(track: Track):
    (item,) = track(painted.moving_box(8), looks={4: painted.UNCLEAR}, annotated={0, 3, 7}).objects
    assert item.scored == (0, 3, 7)
    assert len(item.j) == 3
    assert item.corrections == ()
    assert item.events == {'added': 1, 'asked': 1, 'skipped': 1}


def test_regular_corrections_repair_what_is_seen_in_their_frame(track: Track):
    looks = {3: painted.DARK, 5: painted.DARK}
    (item,) = track(painted.moving_box(8), 'interval:3', looks=looks).objects
    assert item.corrections == (3, 6)
    assert item.events['corrected'] == 2
    assert item.j == (1, 1, 1, 1, 1, 0, 1, 1)


def test_correction_of_the_last_frame_counts(track: Track):
    (item,) = track(painted.moving_box(4), 'interval:3').objects
    assert item.corrections == (3,)


def test_objects_may_appear_late_and_in_any_order_of_their_numbers(track: Track, tmp_path: Path):
    one, two = painted.box(2), painted.box(22)
    frames = [{}, {7: one}, {7: one}, {7: one, 3: two}, {3: two}, {3: two}]
    record = track(frames, 'interval:2', masks=tmp_path / 'masks')
    early, late = record.objects[1], record.objects[0]
    assert (late.object_id, late.first, late.frames) == (3, 3, 3)
    assert (early.object_id, early.first, early.frames) == (7, 1, 5)
    assert early.scored == (0, 1, 2, 3, 4)
    assert early.present == (True, True, True, False, False)
    assert early.j == (*late.j[:3], 1.0, 1.0) == (1.0,) * 5
    assert early.corrections == (2, 4)  # the last one says that it is absent
    assert early.events['absent'] == 1
    assert late.corrections == (2,)
    written = sorted((tmp_path / 'masks').iterdir())
    assert [path.name for path in written] == [f'{index:05d}.png' for index in range(6)]
    for path, masks in zip(written, frames, strict=True):
        assert np.array_equal(read_labels(path), painted.labels_of(masks))


def test_all_objects_as_one(track: Track):
    frames = [{1: painted.box(2), 2: painted.box(22, height=5)}] * 3
    record = track(frames, 'plain', merge_objects=True)
    (item,) = record.objects
    assert item.j[0] == 1  # the first mask is both boxes
    assert item.j[1] == pytest.approx(100 / 150)  # the tracker knows the colour of one of them


def test_first_click_is_one_on_the_object(track: Track):
    record = track(painted.moving_box(4), 'plain', init='click')
    assert record.objects[0].j == (1.0,) * 4
    assert record.objects[0].corrections == ()
    assert record.refiner == 'colour'
    assert record.notes == ()


class BlindRefiner(painted.ColourRefiner):
    """Finds nothing on the first frame where the object is on the left."""

    def refine(self, frame, clicks, *, object_id, prior=None):
        if frame.index == 0 and clicks[-1].x < 20:
            return RefinedMask(torch.zeros(painted.HEIGHT, painted.WIDTH, dtype=torch.bool), 0.0)
        return super().refine(frame, clicks, object_id=object_id, prior=prior)


def test_objects_whose_click_fails_are_clicked_again_one_by_one(track: Track):
    networks = Networks(painted.ColourBackend, lambda backend, person: BlindRefiner())
    frames = [{1: painted.box(2), 2: painted.box(22)}] * 5
    record = track(frames, 'plain', init='click', networks=networks)
    one, two = record.objects
    assert one.j == (0, 1, 1, 1, 1)
    assert two.j == (0, 0, 1, 1, 1)
    assert len(record.notes) == 1
    assert record.notes[0].startswith('frame 0: objects 1, 2 could not be shown: ')


def test_void_pixels_are_of_no_object_on_both_sides(track: Track, tmp_path: Path):
    from lazy_vos_ros.evaluation.label_images import write_labels

    frames = [{1: painted.box(2)}] * 3
    painted.write_folders(tmp_path / 'data', {'a': frames})
    labels = painted.labels_of(frames[0])
    labels[:, 8:] = 255  # half of the object and all else
    for index in (1, 2):
        write_labels(tmp_path / 'data' / 'a' / 'Annotations' / f'{index:05d}.png', labels)
    assert track(frames, 'plain').objects[0].j == (1, 1, 1)


def test_budget_counts_frames_whatever_their_rate(track: Track):
    looks = dict.fromkeys(range(2, 14, 3), painted.UNCLEAR)  # 2, 5, 8, 11
    frames = [{1: painted.box(4)}] * 14
    (free,) = track(frames, looks=looks).objects
    assert free.corrections == (2, 5, 8, 11)
    for fps in (1.0, 50.0):
        budget = {'lazy': {'questions_per_minute': 1.0}, 'one_question_in': 6, 'fps': fps}
        (bound,) = track(frames, looks=looks, **budget).objects
        assert bound.corrections == (2, 8)
        assert bound.events['suppressed'] == 2


def test_broken_image_is_named(track: Track, tmp_path: Path):
    painted.write_folders(tmp_path / 'data', {'a': painted.moving_box(4)})
    path = tmp_path / 'data' / 'a' / 'JPEGImages' / '00002.png'
    path.write_bytes(path.read_bytes()[:60])
    with pytest.raises(ValueError, match=r'00002.png .* is no image that can be read'):
        track(None, 'plain')


def test_oracle_tells_the_truth_to_the_person_only(track: Track):
    networks = Networks(painted.ColourBackend, lambda backend, p: OracleForPerson(p, Constant()))
    looks = {4: painted.UNCLEAR}
    frames = painted.moving_box(8)
    (asked,) = track(frames, 'lazy', looks=looks, networks=networks).objects
    assert asked.j[4] == 1
    (itself,) = track(frames, 'lazy-auto', looks=looks, networks=networks).objects
    assert itself.j[4] == 0


def test_oracle_gives_the_first_mask_for_the_first_click(track: Track):
    networks = Networks(painted.ColourBackend, lambda backend, p: OracleForPerson(p, None))
    record = track(painted.moving_box(4), 'user', init='click', networks=networks)
    assert record.objects[0].j == (1.0,) * 4
    assert record.refiner == 'ground truth'
