from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from recordings import IMAGE
from recordings import STATE
from recordings import header
from recordings import image
from recordings import labels_of
from recordings import make
from recordings import object_state
from recordings import pixels_of
from recordings import stamp_of
from recordings import time
from recordings import tracking_state
from recordings import usual_messages

from lazy_vos_ros.evaluation.bags import read_run
from lazy_vos_ros.evaluation.evaluate_bags import Comparison
from lazy_vos_ros.evaluation.evaluate_bags import evaluate_bag
from lazy_vos_ros.evaluation.label_images import write_labels
from lazy_vos_ros.evaluation.metrics import boundary_f
from lazy_vos_ros.evaluation.score_run import score_run
from lazy_vos_ros.evaluation.true_masks import FolderTruth
from lazy_vos_ros.evaluation.true_masks import open_truth

WriteBag = Callable[..., Path]
CLIP_TIME = 'sensor_msgs/msg/TimeReference'


def true_labels(index: int) -> np.ndarray:
    """The object is one column further to the right than it was predicted: J is 3 / 5."""
    return np.roll(labels_of(index), 1, axis=1)


def write_folder(folder: Path, names: dict[str, int]) -> Path:
    folder.mkdir(exist_ok=True)
    for name, index in names.items():
        write_labels(folder / name, true_labels(index))
    return folder


def clip_times(first: int, count: int = 12) -> list:
    return [
        (
            '/cam/clip_time',
            CLIP_TIME,
            stamp_of(i),
            make(
                CLIP_TIME,
                header=header(i),
                time_ref=time(int((first + i) * 1e9 / 25)),
                source='clip',
            ),
        )
        for i in range(count)
    ]


@pytest.mark.parametrize(
    'name',
    [
        '{i:05}.png',
        'mask{i}.png',
        '{stamp}.png',
        '{seconds}.{nanoseconds:09}.png',
        '{seconds}_{nanoseconds:09}.png',
        'left_{seconds}.{microseconds:06}.png',
    ],
)
def test_every_image_finds_its_file_by_frame_or_stamp(
    write_bag: WriteBag, tmp_path: Path, name: str
):
    run = read_run(write_bag(usual_messages()))
    names = {}
    for i in range(12):
        seconds, nanoseconds = divmod(stamp_of(i), 10**9)
        microseconds = nanoseconds // 1000
        text = name.format(
            i=i,
            stamp=stamp_of(i),
            seconds=seconds,
            nanoseconds=nanoseconds,
            microseconds=microseconds,
        )
        names[text] = i
    truth = FolderTruth(write_folder(tmp_path / 'truth', names), run)
    for i in range(12):
        assert np.array_equal(truth.labels(stamp_of(i)), true_labels(i))
    assert truth.notes == ()


def test_scores_are_those_of_the_masks(write_bag: WriteBag, tmp_path: Path):
    run = read_run(write_bag(usual_messages()))
    folder = write_folder(tmp_path / 'truth', {f'{i:05}.png': i for i in range(12)})
    quality, notes = score_run(run, FolderTruth(folder, run))
    (item,) = quality.objects
    assert notes == ()
    assert [score.stamp for score in item.scores] == [stamp_of(i) for i in range(12)]
    assert all(score.j == pytest.approx(3 / 5) for score in item.scores)
    expected = boundary_f(true_labels(3) == 1, labels_of(3) == 1)
    assert item.scores[3].f == pytest.approx(expected)
    assert len(item.counted) == 11  # without the first, which the operator showed
    assert item.measures['J'] == pytest.approx(0.6)
    assert (item.measures['R@0.5'], quality.frames) == (1.0, 12)
    assert quality.mean == item.measures


def test_sparse_true_masks_score_the_frames_they_are_of(write_bag: WriteBag, tmp_path: Path):
    run = read_run(write_bag(usual_messages()))
    folder = write_folder(tmp_path / 'truth', {'00004.png': 4, '00009.png': 9, '00050.png': 5})
    quality, notes = score_run(run, FolderTruth(folder, run))
    assert [score.stamp for score in quality.objects[0].counted] == [stamp_of(4), stamp_of(9)]
    assert notes == ('1 of 3 true masks belong to no processed image',)
    assert quality.objects[0].iou_of(stamp_of(5)) is None


def test_numbers_are_those_of_the_clip_where_the_bag_tells_them(
    write_bag: WriteBag, tmp_path: Path
):
    # The tracker dropped image 5, and the demo began at frame 76 of its clip.
    messages = [m for m in usual_messages() if m[0] == '/image' or m[2] < stamp_of(5)]
    messages += [m for m in usual_messages() if m[0] != '/image' and m[2] > stamp_of(6)]
    run = read_run(write_bag([*messages, *clip_times(76)]))
    assert len(run.frames) == 11
    truth = FolderTruth(
        write_folder(tmp_path / 'truth', {f'{i + 76:05}.png': i for i in range(12)}), run
    )
    for frame in run.frames:
        assert np.array_equal(truth.labels(frame.stamp), true_labels(frame.index))
    assert 'frame of the clip' in truth.source
    assert truth.notes == ('1 of 12 true masks belong to no processed image',)


def test_images_are_counted_from_the_first_index(write_bag: WriteBag, tmp_path: Path):
    run = read_run(write_bag(usual_messages()))
    folder = write_folder(tmp_path / 'truth', {f'{i + 3:05}.png': i for i in range(12)})
    truth = FolderTruth(folder, run, first=3)
    assert np.array_equal(truth.labels(stamp_of(7)), true_labels(7))


def test_numbers_without_images_are_refused_if_some_were_dropped(
    write_bag: WriteBag, tmp_path: Path
):
    folder = write_folder(tmp_path / 'truth', {f'{i:05}.png': i for i in range(12)})
    messages = [m for m in usual_messages() if m[0] != '/image']
    with pytest.raises(ValueError, match='the images were not recorded and 3 were dropped'):
        FolderTruth(folder, read_run(write_bag(messages)))
    messages = [m for m in messages if m[1] != STATE] + [
        ('/lazy_vos/tracking_state', STATE, stamp_of(i), tracking_state(i, dropped=0))
        for i in range(12)
    ]
    truth = FolderTruth(folder, read_run(write_bag(messages, name='b')))
    assert np.array_equal(truth.labels(stamp_of(7)), true_labels(7))


@pytest.mark.parametrize(
    ('names', 'words'),
    [
        ({'a.png': 1}, 'has no number at its end'),
        ({'00001.png': 1, '1700000000000000007.png': 2}, 'named by frame and by stamp'),
        ({'00001.png': 1, '1.png': 2}, r'00001\.png and 1\.png are true masks of one image'),
        ({'00500.png': 1}, r'none of the 1 files .* belongs to a processed image'),
        ({}, 'has no PNG file'),
    ],
)
def test_folders_that_do_not_fit_are_refused(
    write_bag: WriteBag, tmp_path: Path, names: dict[str, int], words: str
):
    run = read_run(write_bag(usual_messages()))
    with pytest.raises(ValueError, match=words):
        FolderTruth(write_folder(tmp_path / 'truth', names), run)


def test_masks_of_another_size_are_refused(write_bag: WriteBag, tmp_path: Path):
    run = read_run(write_bag(usual_messages()))
    (tmp_path / 'truth').mkdir()
    write_labels(tmp_path / 'truth' / '00001.png', np.ones((8, 8), np.uint8))
    with pytest.raises(ValueError, match=r'frame 1 is 24 x 16 and its true one 8 x 8'):
        score_run(run, FolderTruth(tmp_path / 'truth', run))


def test_missing_masks_are_counted(write_bag: WriteBag, tmp_path: Path):
    folder = write_folder(tmp_path / 'truth', {f'{i:05}.png': i for i in range(12)})
    messages = [m for m in usual_messages() if m[0] != '/lazy_vos/mask' or m[2] < stamp_of(6)]
    run = read_run(write_bag(messages))
    quality, notes = score_run(run, FolderTruth(folder, run))
    assert 'no recorded mask in 6 frames with a true one' in notes
    assert quality.frames == 6
    messages = [m for m in messages if m[0] != '/lazy_vos/mask']
    run = read_run(write_bag(messages, name='without'))
    with pytest.raises(ValueError, match='has no recorded mask of an image'):
        score_run(run, FolderTruth(folder, run))


def test_true_masks_come_from_a_topic(write_bag: WriteBag):
    truth = [
        ('/truth', IMAGE, stamp_of(i), image(i, true_labels(i).astype(np.uint16), 'mono16'))
        for i in range(0, 12, 3)
    ]
    bag = write_bag([*usual_messages(), *truth])
    run = read_run(bag)
    quality, notes = score_run(run, open_truth('/truth', bag, run))
    assert quality.source == '/truth of the bag, by stamp'
    assert [score.stamp for score in quality.objects[0].scores] == [
        stamp_of(i) for i in (0, 3, 6, 9)
    ]
    assert quality.mean['J'] == pytest.approx(0.6)
    assert notes == ()


@pytest.mark.parametrize(
    ('topic', 'words'),
    [
        ('/nothing', r'no topic /nothing; allowed .* /image, '),
        ('/lazy_vos/tracking_state', 'of type lazy_vos_msgs/msg/TrackingState'),
        ('/image', "encoding 'rgb8'; allowed for true masks: mono8"),
        ('/late', 'none of the 1 messages on /late has the stamp of a processed image'),
    ],
)
def test_topics_that_do_not_fit_are_refused(write_bag: WriteBag, topic: str, words: str):
    late = ('/late', IMAGE, stamp_of(90), image(90, labels_of(0), 'mono8'))
    bag = write_bag([*usual_messages(), late])
    with pytest.raises(ValueError, match=words):
        open_truth(topic, bag, read_run(bag))


def two_objects(write_bag: WriteBag) -> Path:
    """Object 1 as usual, object 2 below it."""

    def labels(index: int) -> np.ndarray:
        found = labels_of(index)
        found[10:14, 4:8] = 2
        return found

    messages = [('/image', IMAGE, stamp_of(i), image(i, pixels_of(i), 'rgb8')) for i in range(6)]
    for i in range(6):
        states = [object_state(1), object_state(2, label='pen')]
        messages += [
            ('/lazy_vos/mask', IMAGE, stamp_of(i), image(i, labels(i), 'mono8')),
            ('/lazy_vos/tracking_state', STATE, stamp_of(i), tracking_state(i, objects=states)),
        ]
    return write_bag(messages)


def write_true(folder: Path, swap: dict[int, int], count: int = 6) -> Path:
    folder.mkdir()
    for i in range(count):
        labels = labels_of(i)
        labels[10:14, 4:8] = 2
        renamed = np.zeros_like(labels)
        for own, true in swap.items():
            renamed[labels == own] = true
        write_labels(folder / f'{i:05}.png', renamed)
    return folder


def test_objects_are_those_with_the_same_number_or_as_told(write_bag: WriteBag, tmp_path: Path):
    run = read_run(two_objects(write_bag))
    folder = write_true(tmp_path / 'truth', {1: 2, 2: 1})
    quality, _ = score_run(run, FolderTruth(folder, run))
    assert quality.mean['J'] == 0.0
    quality, notes = score_run(run, FolderTruth(folder, run), {1: 2, 2: 1})
    assert quality.mean['J&F'] == 1.0
    assert [item.true_id for item in quality.objects] == [2, 1]
    assert notes == ()
    with pytest.raises(ValueError, match=r'names \[7\] of the tracker'):
        score_run(run, FolderTruth(folder, run), {7: 1})


def test_objects_without_a_partner_are_named_and_do_not_count(write_bag: WriteBag, tmp_path: Path):
    run = read_run(two_objects(write_bag))
    folder = write_true(tmp_path / 'truth', {1: 1, 2: 9})
    quality, notes = score_run(run, FolderTruth(folder, run))
    assert [item.object_id for item in quality.objects] == [1]
    assert 'tracked and compared with no true object: object 2' in notes
    assert 'in the true masks, but not tracked, and without a score: object 9' in notes
    folder = write_true(tmp_path / 'other', {1: 8, 2: 9})
    with pytest.raises(ValueError, match=r'has the objects \[1, 2\], the true masks \[8, 9\]'):
        score_run(run, FolderTruth(folder, run))


def test_object_in_no_true_mask_of_its_frames_has_no_score(write_bag: WriteBag, tmp_path: Path):
    run = read_run(two_objects(write_bag))
    folder = write_true(tmp_path / 'truth', {1: 1, 2: 2})
    for path in folder.glob('*.png'):
        write_labels(path, labels_of(int(path.stem)))
    quality, notes = score_run(run, FolderTruth(folder, run), {1: 1, 2: 2})
    assert [item.object_id for item in quality.objects] == [1]
    assert 'object 2 is in no true mask of its frames: it has no score' in notes


def test_single_object_is_the_single_true_one(write_bag: WriteBag, tmp_path: Path):
    run = read_run(write_bag(usual_messages()))
    (tmp_path / 'truth').mkdir()
    write_labels(tmp_path / 'truth' / '00003.png', 5 * labels_of(3))
    quality, notes = score_run(run, FolderTruth(tmp_path / 'truth', run))
    assert quality.mean['J'] == 1.0
    assert notes[0] == 'object 1 is compared with object 5, the only one'


def test_masks_of_a_replay_are_scored_beside_those_that_were_put_out(
    write_bag: WriteBag, tmp_path: Path
):
    folder = write_folder(tmp_path / 'truth', {f'{i:05}.png': i for i in range(12)})
    repaired = [
        ('/lazy_vos/repaired_mask', IMAGE, stamp_of(i), image(i, true_labels(i), 'mono8'))
        for i in (4, 5, 6)
    ]
    bag = write_bag([*usual_messages(), *repaired])
    run = evaluate_bag(bag, 'bag', truth=Comparison(str(folder)))
    assert run.quality is not None
    assert run.repaired is not None
    assert run.quality.mean['J'] == pytest.approx(0.6)
    assert run.repaired.mean['J'] == pytest.approx((8 * 0.6 + 3) / 11)
    bag = write_bag(usual_messages(), name='without')
    assert evaluate_bag(bag, 'bag', truth=Comparison(str(folder))).repaired is None
