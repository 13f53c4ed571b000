from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from recordings import SIZE
from recordings import usual_messages

from lazy_vos_ros.evaluation.bags import read_run
from lazy_vos_ros.evaluation.dashboard import QUESTION
from lazy_vos_ros.evaluation.dashboard import layout_for
from lazy_vos_ros.evaluation.dashboard import overlay_frames
from lazy_vos_ros.evaluation.dashboard import write_overlay
from lazy_vos_ros.evaluation.sources import open_source

WriteBag = Callable[..., Path]


@pytest.mark.parametrize(
    ('size', 'expected'),
    [((640, 272), (960, 408)), ((480, 853), (404, 720)), ((24, 16), (72, 48))],
)
def test_result_is_enlarged_to_a_readable_size(size: tuple[int, int], expected: tuple[int, int]):
    layout = layout_for(*size)
    assert (layout.width, layout.height) == expected
    assert all(length % 2 == 0 for length in layout.size)


def shows(picture: np.ndarray, colour: tuple[int, int, int]) -> bool:
    return bool((np.abs(picture.astype(int) - colour).max(axis=2) < 40).any())


def test_open_question_is_shown_until_its_answer(write_bag: WriteBag):
    pictures = list(overlay_frames(read_run(write_bag(usual_messages(frames=14)))))
    assert len(pictures) == 14
    width = layout_for(*SIZE).width
    half = layout_for(*SIZE).height // 2
    # Asked in frame 4, answered in frame 8: the title beside the result is of that colour.
    asked = [shows(picture[half : 2 * half, width:], QUESTION) for picture in pictures]
    assert asked == [4 <= index < 8 for index in range(14)]


def test_mask_is_drawn_over_the_image(write_bag: WriteBag):
    run = read_run(write_bag(usual_messages()))
    drawn = next(iter(overlay_frames(run)))
    image = run.pictures.image(run.frames[0].stamp)
    inside = drawn[12, 6].astype(int)
    assert np.abs(inside - image[4, 2]).max() > 20


def test_video_of_a_bag_decodes(write_bag: WriteBag, tmp_path: Path):
    write_overlay(read_run(write_bag(usual_messages())), tmp_path / 'overlay.mp4', fps=5)
    source = open_source(tmp_path / 'overlay.mp4')
    assert source.size == layout_for(*SIZE).size
    assert len(list(source)) == 12


def test_frames_without_pictures_are_left_out(write_bag: WriteBag):
    messages = usual_messages()
    third = [item for item in messages if item[0] == '/lazy_vos/mask'][3]
    run = read_run(write_bag([item for item in messages if item is not third]))
    assert len(list(overlay_frames(run))) == 11


def test_run_without_any_picture_is_refused(write_bag: WriteBag, tmp_path: Path):
    messages = [item for item in usual_messages() if 'Image' not in item[1]]
    with pytest.raises(ValueError, match='no frame with image and mask'):
        write_overlay(read_run(write_bag(messages)), tmp_path / 'x.mp4', fps=5)
    assert not (tmp_path / 'x.mp4').exists()
