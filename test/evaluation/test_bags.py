import ast
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from recordings import BEGIN
from recordings import IMAGE
from recordings import STATE
from recordings import diagnostics
from recordings import header
from recordings import image
from recordings import labels_of
from recordings import make
from recordings import object_state
from recordings import pixels_of
from recordings import stamp_of
from recordings import tracking_state
from recordings import usual_messages

from lazy_vos_ros.engine.clicks import Click
from lazy_vos_ros.engine.config import LazyConfig
from lazy_vos_ros.engine.results import Action
from lazy_vos_ros.engine.results import EventKind
from lazy_vos_ros.evaluation.bags import read_run
from lazy_vos_ros.evaluation.runs import config_of
from lazy_vos_ros.evaluation.summary import summarise

WriteBag = Callable[..., Path]


@pytest.mark.parametrize('storage', ['mcap', 'sqlite3'])
def test_bag_becomes_the_run_that_was_recorded(write_bag: WriteBag, storage: str):
    run = read_run(write_bag(usual_messages(), storage))
    assert [frame.stamp for frame in run.frames] == [stamp_of(index) for index in range(12)]
    assert run.sent == 12
    assert run.notes == ()
    assert run.settings['weights'] == 'tiny (random)'
    frame = run.frames[5]
    assert frame.index == 5
    assert frame.memorised
    assert (frame.working_memory, frame.long_term_memory, frame.dropped) == (50, 5, 1)
    assert frame.timings.total == pytest.approx(0.06)
    assert frame.latency == pytest.approx(0.08)
    assert frame.finished == pytest.approx(BEGIN + 1.08, abs=1e-6)
    (state,) = frame.objects
    assert (state.object_id, state.label, state.area) == (1, 'cup', 30)
    assert (state.uncertainty, state.derivative) == (0.25, 0.125)
    assert state.box == (3, 4, 5, 6)
    assert state.action is Action.NONE


def test_events_keep_what_they_tell(write_bag: WriteBag):
    run = read_run(write_bag(usual_messages()))
    kinds = [item.kind for item in run.events]
    assert kinds == [EventKind.ADDED, EventKind.ASKED, EventKind.PSEUDO, EventKind.ANSWERED]
    asked, answered = run.events[1], run.events[3]
    assert asked.reason == 'unsure'
    assert asked.uncertainty == 0.75
    assert answered.clicks == (Click(6, 4),)
    assert answered.frame_index == 4
    assert answered.applied_stamp - answered.stamp == pytest.approx(0.8, abs=1e-6)
    assert run.closing_of(asked) is answered
    assert answered.time - asked.time == pytest.approx(0.75, abs=1e-6)
    assert run.corrected_frames(1) == [4]


@pytest.mark.parametrize('storage', ['mcap', 'sqlite3'])
def test_pictures_are_found_by_stamp(write_bag: WriteBag, storage: str):
    pictures = read_run(write_bag(usual_messages(), storage)).pictures
    for index in (11, 0, 7):
        assert np.array_equal(pictures.image(stamp_of(index)), pixels_of(index))
        assert np.array_equal(pictures.labels(stamp_of(index)), labels_of(index))
        assert np.allclose(pictures.entropy(stamp_of(index)), index / 100)
    assert pictures.labels(stamp_of(0)).dtype == np.uint16
    assert pictures.image(stamp_of(99)) is None


def test_last_result_of_an_image_counts(write_bag: WriteBag):
    again = tracking_state(3, objects=[object_state(1, area=99)])
    now = stamp_of(3) + 90_000_000
    corrected = image(3, np.full((16, 24), 1, np.uint8), 'mono8')
    messages = [
        *usual_messages(),
        ('/lazy_vos/tracking_state', STATE, now, again),
        ('/lazy_vos/mask', IMAGE, now, corrected),
    ]
    run = read_run(write_bag(sorted(messages, key=lambda item: item[2])))
    assert len(run.frames) == 12
    assert run.frames[3].objects[0].area == 99
    assert run.pictures.labels(stamp_of(3)).all()


def test_image_topic_is_the_one_whose_images_were_processed(write_bag: WriteBag):
    other = [('/a_camera', IMAGE, stamp_of(9), image(3, pixels_of(1), 'rgb8'))]
    run = read_run(write_bag([*usual_messages(), *other]))
    assert run.sent == 12


def test_compressed_and_other_encodings_become_rgb(write_bag: WriteBag):
    red = np.zeros((16, 24, 3), np.uint8)
    red[..., 0] = 250
    png = cv2.imencode('.png', red[..., ::-1])[1].reshape(-1)
    compressed = make('sensor_msgs/msg/CompressedImage', header=header(0), format='png', data=png)
    states = [('/lazy_vos/tracking_state', STATE, stamp_of(0), tracking_state(0))]
    kind = 'sensor_msgs/msg/CompressedImage'
    bag = write_bag([*states, ('/c', kind, stamp_of(0), compressed)], name='compressed')
    assert np.array_equal(read_run(bag).pictures.image(stamp_of(0)), red)
    bgr = image(0, np.ascontiguousarray(red[..., ::-1]), 'bgr8', padding=5)
    bag = write_bag([*states, ('/c', IMAGE, stamp_of(0), bgr)], name='bgr')
    assert np.array_equal(read_run(bag).pictures.image(stamp_of(0)), red)


def test_unknown_encoding_is_named(write_bag: WriteBag):
    states = [('/lazy_vos/tracking_state', STATE, stamp_of(0), tracking_state(0))]
    odd = image(0, pixels_of(0), 'yuv422')
    run = read_run(write_bag([*states, ('/c', IMAGE, stamp_of(0), odd)]))
    with pytest.raises(ValueError, match=r"encoding 'yuv422'; allowed: rgb8"):
        run.pictures.image(stamp_of(0))


def test_what_was_not_recorded_is_noted(write_bag: WriteBag):
    states = [item for item in usual_messages() if item[1] == STATE]
    run = read_run(write_bag(states))
    assert run.sent is None
    assert any('correction_event was not recorded: questions' in note for note in run.notes)
    assert any('images were not recorded' in note for note in run.notes)
    assert run.pictures.image(stamp_of(0)) is None


def test_event_topic_without_events_is_no_fault(write_bag: WriteBag):
    messages = [item for item in usual_messages() if 'event' not in item[0]]
    topics = (('/lazy_vos/correction_event', 'lazy_vos_msgs/msg/CorrectionEvent'),)
    assert read_run(write_bag(messages, topics=topics)).notes == ()


def test_one_of_several_trackers_must_be_named(write_bag: WriteBag):
    messages = usual_messages(node='/left/lazy_vos') + usual_messages(node='/right/lazy_vos')
    bag = write_bag([item for item in messages if item[1] == STATE])
    with pytest.raises(ValueError, match='has the trackers /left/lazy_vos, /right/lazy_vos'):
        read_run(bag)
    assert len(read_run(bag, tracker='/right/lazy_vos').frames) == 12
    with pytest.raises(ValueError, match='the name of one of several trackers'):
        read_run(bag, tracker='/middle/lazy_vos')


def test_bag_without_tracker_says_what_it_has(write_bag: WriteBag):
    messages = [item for item in usual_messages() if item[0] == '/image']
    with pytest.raises(ValueError, match='trackers none; its topics: /image'):
        read_run(write_bag(messages))


def test_empty_bag_is_refused(write_bag: WriteBag):
    with pytest.raises(ValueError, match='has no messages'):
        read_run(write_bag([], topics=(('/lazy_vos/tracking_state', STATE),)))


@pytest.mark.parametrize('storage', ['mcap', 'sqlite3'])
@pytest.mark.parametrize('content', [b'', b'x' * 4096, b'\0' * 20000])
def test_file_without_any_message_is_a_clear_error(
    write_bag: WriteBag, storage: str, content: bytes
):
    folder = write_bag(usual_messages(), storage)
    (file,) = [item for item in folder.iterdir() if item.suffix in ('.mcap', '.db3')]
    file.write_bytes(content)
    with pytest.raises(ValueError, match=r'bag has no messages \(.*\); allowed: a rosbag2'):
        read_run(folder)


def test_message_that_cannot_be_decoded_is_left_out_and_noted(write_bag: WriteBag):
    bad = ('/lazy_vos/tracking_state', STATE, stamp_of(20), b'\x00\x01\x00\x00\x05\x00')
    run = read_run(write_bag([*usual_messages(), bad]))
    assert len(run.frames) == 12
    assert any('messages that are no lazy_vos_msgs/msg/TrackingState' in n for n in run.notes)


def test_bag_without_metadata_is_read_from_its_file(write_bag: WriteBag):
    folder = write_bag(usual_messages())
    (folder / 'metadata.yaml').unlink()
    assert len(read_run(folder).frames) == 12
    assert len(read_run(folder / 'bag.mcap').frames) == 12


def test_what_is_no_bag_is_refused(tmp_path: Path):
    with pytest.raises(ValueError, match='none does not exist'):
        read_run(tmp_path / 'none')
    with pytest.raises(ValueError, match='has no mcap or db3 file'):
        read_run(tmp_path)


def test_thresholds_come_from_the_diagnostics(write_bag: WriteBag):
    messages = usual_messages()
    assert config_of(read_run(write_bag(messages))) == LazyConfig()
    told = diagnostics('lazy_vos', tau_u='0.6', user_corrections='False', trigger='level')
    kind = 'diagnostic_msgs/msg/DiagnosticArray'
    messages.append(('/diagnostics', kind, stamp_of(13), told))
    config = config_of(read_run(write_bag(messages, name='told')))
    assert config == LazyConfig(tau_u=0.6, user_corrections=False, trigger='level')


def test_figures_come_from_the_bag_alone(write_bag: WriteBag):
    summary = summarise(read_run(write_bag(usual_messages())))
    assert (summary.frames, summary.sent, summary.dropped) == (12, 12, 3)
    assert (summary.questions, summary.answers, summary.pseudo_corrections) == (1, 1, 1)
    assert summary.reaction_p50 == pytest.approx(0.75, abs=1e-5)
    assert summary.fps == pytest.approx(5.0, abs=1e-5)
    assert summary.idi == pytest.approx(2.2 / 2, abs=1e-5)


def test_evaluation_imports_nothing_of_ros():
    files = (Path(__file__).parents[2] / 'lazy_vos_ros' / 'evaluation').rglob('*.py')
    nodes = [node for file in files for node in ast.walk(ast.parse(file.read_text()))]
    names = {item.name for node in nodes if isinstance(node, ast.Import) for item in node.names}
    names |= {node.module for node in nodes if isinstance(node, ast.ImportFrom)}
    assert 'rosbags.rosbag2' in names
    assert not [name for name in names if name.startswith('rclpy') or '_msgs' in name]
