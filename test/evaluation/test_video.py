from pathlib import Path

import cv2
import numpy as np
import pytest

from lazy_vos_ros.evaluation import video
from lazy_vos_ros.evaluation.sources import open_source
from lazy_vos_ros.evaluation.video import VideoFile


def moving_square(index: int, size: tuple[int, int]) -> np.ndarray:
    frame = np.full((size[1], size[0], 3), (40, 80, 160), np.uint8)
    frame[10:26, 4 * index : 4 * index + 16] = (230, 120, 20)
    return frame


@pytest.mark.parametrize('size', [(96, 64), (95, 63)])
def test_video_decodes_to_what_was_written(tmp_path: Path, size: tuple[int, int]):
    frames = [moving_square(index, size) for index in range(15)]
    with VideoFile(tmp_path / 'clip.mp4', size, 12.5) as file:
        for frame in frames:
            file.write(frame)
    source = open_source(tmp_path / 'clip.mp4')
    decoded = list(source)
    assert source.fps == 12.5
    assert source.size == (96, 64)
    assert len(decoded) == 15
    for wanted, got in zip(frames, decoded, strict=True):
        difference = np.abs(wanted.astype(int) - got[: size[1], : size[0]])
        assert difference.mean() < 6


def test_video_is_h264_that_browsers_play(tmp_path: Path):
    with VideoFile(tmp_path / 'clip.mp4', (64, 48), 10) as file:
        file.write(moving_square(0, (64, 48)))
    capture = cv2.VideoCapture(str(tmp_path / 'clip.mp4'))
    fourcc = int(capture.get(cv2.CAP_PROP_FOURCC)).to_bytes(4, 'little').decode()
    assert fourcc.lower() in ('avc1', 'h264')
    content = (tmp_path / 'clip.mp4').read_bytes()
    assert content.index(b'moov') < content.index(b'mdat'), 'the index is at the front'


def test_video_appears_only_when_it_is_whole(tmp_path: Path):
    path = tmp_path / 'clip.mp4'
    file = VideoFile(path, (64, 48), 10)
    file.write(moving_square(0, (64, 48)))
    assert not path.exists()
    file.close()
    assert [item.name for item in tmp_path.iterdir()] == ['clip.mp4']


def write_and_raise(path: Path, error: type[BaseException]) -> None:
    with VideoFile(path, (64, 48), 10) as file:
        file.write(moving_square(0, (64, 48)))
        raise error


def test_error_leaves_nothing_and_keeps_an_older_video(tmp_path: Path):
    path = tmp_path / 'clip.mp4'
    path.write_bytes(b'older')
    with pytest.raises(ZeroDivisionError):
        write_and_raise(path, ZeroDivisionError)
    assert path.read_bytes() == b'older'
    assert len(list(tmp_path.iterdir())) == 1


def test_interrupt_keeps_what_was_written(tmp_path: Path):
    with pytest.raises(KeyboardInterrupt):
        write_and_raise(tmp_path / 'a.mp4', KeyboardInterrupt)
    assert len(list(open_source(tmp_path / 'a.mp4'))) == 1


def test_wrong_frames_and_sizes_are_refused(tmp_path: Path):
    with pytest.raises(ValueError, match=r'allowed: numbers above 0'):
        VideoFile(tmp_path / 'a.mp4', (0, 48), 10)
    with pytest.raises(ValueError, match=r'at nan fps'):
        VideoFile(tmp_path / 'a.mp4', (64, 48), float('nan'))
    file = VideoFile(tmp_path / 'a.mp4', (64, 48), 10)
    with pytest.raises(ValueError, match=r'allowed: \(48, 64, 3\) of type uint8'):
        file.write(np.zeros((64, 48, 3), np.uint8))
    file.abandon()


def test_folder_that_is_not_there_is_an_error(tmp_path: Path):
    with pytest.raises(FileNotFoundError):
        VideoFile(tmp_path / 'no' / 'a.mp4', (64, 48), 10)


def test_failure_of_ffmpeg_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    broken = tmp_path / 'ffmpeg'
    broken.write_text('#!/bin/sh\ncat >/dev/null\necho disk full >&2\nexit 1\n')
    broken.chmod(0o755)
    monkeypatch.setattr(video, 'ffmpeg', lambda: str(broken))
    file = VideoFile(tmp_path / 'a.mp4', (64, 48), 10)
    file.write(moving_square(0, (64, 48)))
    with pytest.raises(RuntimeError, match=r'a\.mp4 cannot be written: disk full'):
        file.close()
    assert not (tmp_path / 'a.mp4').exists()
