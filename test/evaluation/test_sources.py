import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest

from lazy_vos_ros.evaluation.sources import image_files
from lazy_vos_ros.evaluation.sources import open_source
from lazy_vos_ros.evaluation.sources import webcam_number


def solid(value: tuple[int, int, int], size: tuple[int, int] = (48, 32)) -> np.ndarray:
    return np.full((size[1], size[0], 3), value, np.uint8)


def write_image(path: Path, rgb: np.ndarray) -> None:
    assert cv2.imwrite(str(path), rgb[..., ::-1])


@pytest.fixture
def video(tmp_path: Path) -> Path:
    path = tmp_path / 'clip.avi'
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*'MJPG'), 12.5, (48, 32))
    for index in range(10):
        writer.write(solid((200, 20 * index, 10))[..., ::-1])
    writer.release()
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / 'frames'
    path.mkdir()
    for index in (0, 2, 10, 1):
        write_image(path / f'img{index}.png', solid((index, 100, 200)))
    (path / 'notes.txt').write_text('not a frame')
    return path


def test_video_gives_rgb_frames_in_order(video: Path):
    source = open_source(video)
    frames = list(source)
    assert (source.size, source.fps, source.count) == ((48, 32), 12.5, 10)
    assert len(frames) == 10
    assert frames[0].shape == (32, 48, 3)
    assert frames[0].dtype == np.uint8
    red = [int(frame[16, 24, 0]) for frame in frames]
    green = [int(frame[16, 24, 1]) for frame in frames]
    assert np.allclose(red, 200, atol=6)
    assert np.allclose(green, [20 * index for index in range(10)], atol=6)


def test_second_iteration_begins_again(video: Path):
    source = open_source(video)
    first = [frame.copy() for frame in source]
    assert np.array_equal(first, list(source))


def test_start_and_frames_select_a_part(video: Path):
    everything = list(open_source(video))
    source = open_source(video, start=3, frames=4)
    assert source.count == 4
    assert np.array_equal(list(source), everything[3:7])
    assert open_source(video, start=8, frames=99).count == 2


def test_frames_do_not_share_memory(video: Path):
    one, two = list(open_source(video, frames=2))
    assert not np.shares_memory(one, two)


def test_folder_is_read_in_natural_order(folder: Path):
    source = open_source(folder)
    assert [int(frame[0, 0, 0]) for frame in source] == [0, 1, 2, 10]
    assert [source.frame_name(index) for index in range(4)] == ['img0', 'img1', 'img2', 'img10']
    assert source.count == 4


def test_folder_part_keeps_its_names(folder: Path):
    assert open_source(folder, start=2).frame_name(0) == 'img2'


def test_grey_and_transparent_images_become_rgb(tmp_path: Path):
    cv2.imwrite(str(tmp_path / '0.png'), np.full((8, 8), 77, np.uint8))
    cv2.imwrite(str(tmp_path / '1.png'), np.full((8, 8, 4), 88, np.uint8))
    frames = list(open_source(tmp_path))
    assert [frame.shape for frame in frames] == [(8, 8, 3)] * 2
    assert [int(frame[0, 0, 2]) for frame in frames] == [77, 88]


def test_given_rate_replaces_the_announced_one(video: Path, folder: Path):
    assert open_source(video, fps=6.0).fps == 6.0
    assert open_source(folder).fps == 25.0
    assert open_source(folder, fps=6.0).fps == 6.0


@pytest.mark.parametrize(
    ('what', 'number'), [(0, 0), ('2', 2), ('/dev/video1', 1), ('clip.mp4', None), ('x0', None)]
)
def test_webcam_is_named_by_number_or_device(what: str | int, number: int | None):
    assert webcam_number(what) == number


def test_absent_webcam_is_an_error():
    with pytest.raises(ValueError, match=r'webcam 97 cannot be opened; allowed: '):
        open_source('97')


def test_absent_file_is_named(tmp_path: Path):
    with pytest.raises(ValueError, match=r'nothing\.mp4 does not exist; allowed: a video file'):
        open_source(tmp_path / 'nothing.mp4')


def test_empty_file_is_named(tmp_path: Path):
    (tmp_path / 'empty.mp4').touch()
    with pytest.raises(ValueError, match=r'empty\.mp4 is empty \(0 bytes\)'):
        open_source(tmp_path / 'empty.mp4')


@pytest.mark.parametrize('name', ['noise.mp4', 'letter.txt', 'noise.bin'])
def test_what_is_no_video_is_refused(tmp_path: Path, name: str):
    (tmp_path / name).write_bytes(b'this is no video at all\n' * 500)
    with pytest.raises(ValueError, match=rf'{name} is .*allowed: a video file'):
        open_source(tmp_path / name)


@pytest.mark.parametrize('share', [0.1, 0.6, 0.99])
def test_cut_off_jpg_is_refused(tmp_path: Path, share: float):
    noise = np.random.default_rng(0).integers(0, 255, (32, 48, 3)).astype(np.uint8)
    path = tmp_path / '0.jpg'
    assert cv2.imwrite(str(path), noise)
    whole = path.read_bytes()
    path.write_bytes(whole + b'more')  # what some cameras append
    assert next(iter(open_source(tmp_path))).shape == (32, 48, 3)
    path.write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(ValueError, match=r'0\.jpg .* is no image that can be read'):
        open_source(tmp_path)


def test_cut_off_video_is_refused(tmp_path: Path):
    whole = tmp_path / 'whole.mp4'
    writer = cv2.VideoWriter(str(whole), cv2.VideoWriter_fourcc(*'mp4v'), 10, (48, 32))
    for _ in range(20):
        writer.write(np.random.default_rng(0).integers(0, 255, (32, 48, 3), np.uint8))
    writer.release()
    cut = tmp_path / 'cut.mp4'
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    with pytest.raises(ValueError, match=r'cut\.mp4 is no video that can be read'):
        open_source(cut)


def test_single_image_is_refused(folder: Path):
    with pytest.raises(ValueError, match=r'img0\.png is a single \.png file'):
        open_source(folder / 'img0.png')


def test_folder_without_images_says_what_it_has(tmp_path: Path):
    (tmp_path / 'JPEGImages').mkdir()
    with pytest.raises(ValueError, match=r'has no jpg or png image \(it has the folders JPEG'):
        open_source(tmp_path)


def test_damaged_image_is_named_when_it_is_reached(folder: Path):
    (folder / 'img2.png').write_bytes(b'\x89PNG broken')
    frames = iter(open_source(folder))
    next(frames)
    next(frames)
    with pytest.raises(ValueError, match=r'img2\.png \(11 bytes\) is no image'):
        next(frames)


def test_image_that_promises_more_pixels_than_can_be_is_named(folder: Path):
    last = sorted(folder.glob('*.png'))[-1]
    data = bytearray(last.read_bytes())
    data[16:24] = (60000).to_bytes(4, 'big') * 2
    data[29:33] = zlib.crc32(data[12:29]).to_bytes(4, 'big')
    last.write_bytes(data)
    with pytest.raises(ValueError, match='is no image that can be'):
        list(open_source(folder))


def test_frame_of_another_size_is_named(folder: Path):
    write_image(folder / 'img1.png', solid((0, 0, 0), (50, 32)))
    frames = iter(open_source(folder))
    next(frames)
    with pytest.raises(ValueError, match=r'img1\.png is 50x32; allowed: .*48x32'):
        next(frames)


def test_two_images_of_one_name_are_refused(folder: Path):
    write_image(folder / 'img1.jpg', solid((0, 0, 0)))
    with pytest.raises(ValueError, match='have one name'):
        image_files(folder)


@pytest.mark.parametrize(
    'wrong', [{'start': -1}, {'frames': 0}, {'fps': 0.0}, {'fps': float('nan')}]
)
def test_impossible_part_or_rate_is_refused(video: Path, wrong: dict[str, float]):
    with pytest.raises(ValueError, match='allowed'):
        open_source(video, **wrong)


def test_start_behind_the_end_is_refused(video: Path, folder: Path):
    with pytest.raises(ValueError, match='no frame 10 that can be decoded'):
        open_source(video, start=10)
    with pytest.raises(ValueError, match='has 4 images; allowed: start below that, not 4'):
        open_source(folder, start=4)
