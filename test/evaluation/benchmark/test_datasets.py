import json
from pathlib import Path

import numpy as np
import painted
import pytest

from lazy_vos_ros.evaluation.benchmark.datasets import open_dataset
from lazy_vos_ros.evaluation.label_images import write_labels

FRAMES = painted.moving_box(3)


def names(dataset):
    return [files.name for files in dataset.sequences]


def write_by_kind(root: Path, *sequences: str, below: str = ''):
    for name in sequences:
        painted.write_sequence(
            root / 'JPEGImages' / below / name, root / 'Annotations' / below / name, FRAMES
        )
    return root


def test_folders_of_sequences_in_natural_order(tmp_path: Path):
    painted.write_folders(tmp_path, {'clip10': FRAMES, 'clip9': FRAMES})
    dataset = open_dataset(tmp_path)
    assert names(dataset) == ['clip9', 'clip10']
    assert dataset.layout.name == 'folders'
    assert dataset.frames == 6
    assert dataset.sequences[0].annotated == (0, 1, 2)


def test_images_without_a_folder_of_their_own_are_one_sequence(tmp_path: Path):
    root = tmp_path / 'clip'
    painted.write_sequence(root / 'JPEGImages', root / 'Annotations', FRAMES)
    assert names(open_dataset(root)) == ['clip']


def test_davis_2017_reads_the_list_of_its_split(tmp_path: Path):
    write_by_kind(tmp_path, 'bear', 'camel', 'drift', below='480p')
    lists = tmp_path / 'ImageSets' / '2017'
    lists.mkdir(parents=True)
    (lists / 'val.txt').write_text('drift\nbear\n')
    (lists / 'train.txt').write_text('camel\n')
    dataset = open_dataset(tmp_path)
    assert dataset.layout.name == 'davis2017'
    assert dataset.layout.fps == 24
    assert names(dataset) == ['bear', 'drift']
    assert names(open_dataset(tmp_path, split='train')) == ['camel']
    with pytest.raises(ValueError, match=r"no split 'test'; allowed: .*ImageSets/2017/test.txt"):
        open_dataset(tmp_path, split='test')


def test_davis_2016_reads_its_list_of_frames_and_has_one_object(tmp_path: Path):
    write_by_kind(tmp_path, 'bear', 'camel', below='480p')
    lists = tmp_path / 'ImageSets' / '480p'
    lists.mkdir(parents=True)
    lines = [
        f'/JPEGImages/480p/camel/0000{i}.jpg /Annotations/480p/camel/0000{i}.png' for i in '01'
    ]
    (lists / 'val.txt').write_text('\n'.join(lines))
    dataset = open_dataset(tmp_path)
    assert dataset.layout.name == 'davis2016'
    assert dataset.layout.merge_objects
    assert names(dataset) == ['camel']


def test_a_list_that_names_absent_sequences_is_refused_unless_one_chooses(tmp_path: Path):
    write_by_kind(tmp_path, 'bear', below='480p')
    lists = tmp_path / 'ImageSets' / '2017'
    lists.mkdir(parents=True)
    (lists / 'val.txt').write_text('bear\nlost\n')
    with pytest.raises(ValueError, match='no folder of images for 1 listed sequence: lost'):
        open_dataset(tmp_path)
    assert names(open_dataset(tmp_path, sequences=['bear'])) == ['bear']


def test_lvos_has_a_folder_for_each_split(tmp_path: Path):
    write_by_kind(tmp_path / 'val', 'a')
    write_by_kind(tmp_path / 'train', 'b')
    (tmp_path / 'val' / 'val_meta.json').write_text(json.dumps({'videos': {}}))
    dataset = open_dataset(tmp_path)
    assert dataset.layout.name == 'lvos'
    assert dataset.layout.fps == 6
    assert names(dataset) == ['a']
    assert names(open_dataset(tmp_path, split='train')) == ['b']
    assert names(open_dataset(tmp_path / 'train', layout='lvos2')) == ['b']


def test_long_videos_have_few_annotations(tmp_path: Path):
    root = write_by_kind(tmp_path, 'dressage')
    (root / 'Annotations' / 'dressage' / '00001.png').unlink()
    (files,) = open_dataset(root, layout='longvideos').sequences
    assert files.annotated == (0, 2)
    assert files.annotations[1] is None


def test_chosen_sequences(tmp_path: Path):
    painted.write_folders(tmp_path, {'a': FRAMES, 'b': FRAMES, 'c': FRAMES})
    assert names(open_dataset(tmp_path, sequences=['c', 'a'])) == ['a', 'c']
    with pytest.raises(ValueError, match='the data set has no sequence z; allowed: a, b, c'):
        open_dataset(tmp_path, sequences=['a', 'z'])


def test_frames_come_in_the_order_of_their_numbers(tmp_path: Path):
    for number in (10, 9, 100):
        image = painted.image_of(painted.labels_of(FRAMES[0]))
        painted.write_image(tmp_path / 'a' / 'JPEGImages' / f'{number}.png', image)
    (tmp_path / 'a' / 'Annotations').mkdir()
    write_labels(tmp_path / 'a' / 'Annotations' / '9.png', np.ones((24, 40), np.uint8))
    (files,) = open_dataset(tmp_path).sequences
    assert [path.stem for path in files.images] == ['9', '10', '100']
    assert files.annotated == (0,)


@pytest.mark.parametrize(
    ('spoil', 'message'),
    [
        (lambda a: (a / 'JPEGImages' / '1.png').write_bytes(b''), 'are of one frame'),
        (lambda a: (a / 'JPEGImages' / '00001.jpg').write_bytes(b''), 'have one name'),
        (lambda a: (a / 'Annotations' / '2.png').write_bytes(b''), 'are of one frame'),
        (
            lambda a: (a / 'Annotations' / '00077.png').write_bytes(b''),
            'no image for 1 annotation in .*: 00077',
        ),
    ],
)
def test_files_that_contradict_each_other(tmp_path: Path, spoil, message: str):
    painted.write_folders(tmp_path, {'a': FRAMES})
    spoil(tmp_path / 'a')
    with pytest.raises(ValueError, match=message):
        open_dataset(tmp_path)


def test_what_is_not_there(tmp_path: Path):
    with pytest.raises(ValueError, match='nowhere does not exist; allowed'):
        open_dataset(tmp_path / 'nowhere')
    with pytest.raises(ValueError, match='is no folder; allowed'):
        open_dataset(Path(__file__))
    with pytest.raises(ValueError, match='has no sequence; allowed: JPEGImages/480p'):
        open_dataset(tmp_path)
    with pytest.raises(ValueError, match="layout is 'coco'; allowed: auto, davis, "):
        open_dataset(tmp_path, layout='coco')
    (tmp_path / 'a' / 'JPEGImages').mkdir(parents=True)
    with pytest.raises(ValueError, match='has no jpg or png image'):
        open_dataset(tmp_path)
    image = painted.image_of(painted.labels_of(FRAMES[0]))
    painted.write_image(tmp_path / 'a' / 'JPEGImages' / '0.png', image)
    with pytest.raises(ValueError, match=r'sequence a has no folder .*Annotations'):
        open_dataset(tmp_path)
    (tmp_path / 'a' / 'Annotations').mkdir()
    with pytest.raises(ValueError, match='Annotations has no jpg or png image'):
        open_dataset(tmp_path)


@pytest.mark.parametrize('layout', ['davis2016', 'davis2017', 'lvos', 'lvos2', 'longvideos'])
def test_a_layout_that_the_folders_do_not_have_is_refused(tmp_path: Path, layout: str):
    painted.write_folders(tmp_path, {'clip': FRAMES})
    with pytest.raises(ValueError, match=f'no folder JPEGImages, as the layout {layout} has'):
        open_dataset(tmp_path, layout=layout)
    assert names(open_dataset(tmp_path, layout='davis')) == ['clip']


def test_a_layout_with_lists_needs_one(tmp_path: Path):
    write_by_kind(tmp_path, 'bear', below='480p')
    with pytest.raises(ValueError, match=r'no list ImageSets/2017/val.txt, .*--layout davis for'):
        open_dataset(tmp_path, layout='davis2017')
    assert names(open_dataset(tmp_path)) == ['bear']
