"""Bags of other versions, and with values that should not be there."""

from collections.abc import Callable
from math import isnan
from math import nan
from pathlib import Path

import numpy as np
import pytest
from recordings import EVENT
from recordings import IMAGE
from recordings import STATE
from recordings import TYPES
from recordings import event
from recordings import image
from recordings import labels_of
from recordings import make
from recordings import object_state
from recordings import pixels_of
from recordings import stamp_of
from recordings import time
from recordings import tracking_state
from recordings import usual_messages
from rosbags.rosbag2 import StoragePlugin
from rosbags.rosbag2 import Writer
from rosbags.typesys import Stores
from rosbags.typesys import get_types_from_msg
from rosbags.typesys import get_typestore

from lazy_vos_ros.engine.results import EventKind
from lazy_vos_ros.evaluation.bags import read_run
from lazy_vos_ros.evaluation.clip_times import clip_numbers
from lazy_vos_ros.evaluation.summary import summarise

WriteBag = Callable[..., Path]
NODE = '/lazy_vos'
CLIP_TIME = 'sensor_msgs/msg/TimeReference'


def only(messages: list, *topics: str) -> list:
    return [item for item in messages if item[0] in topics]


def test_frames_that_come_out_of_order_are_sorted_and_noted(write_bag: WriteBag):
    written = [
        (f'{NODE}/tracking_state', STATE, stamp_of(place), tracking_state(index))
        for place, index in enumerate((0, 2, 1, 3))
    ]
    run = read_run(write_bag(written))
    assert [frame.index for frame in run.frames] == [0, 1, 2, 3]
    assert '1 result out of order: sorted by their stamps' in run.notes


def test_duplicate_frames_are_noted_and_the_last_counts(write_bag: WriteBag):
    again = tracking_state(1, objects=[object_state(1, area=77)])
    written = [
        *only(usual_messages(3), f'{NODE}/tracking_state'),
        (f'{NODE}/tracking_state', STATE, stamp_of(9), again),
    ]
    run = read_run(write_bag(written))
    assert len(run.frames) == 3
    assert run.frames[1].objects[0].area == 77
    assert '1 image with a second result: the last one counts' in run.notes


def test_values_that_are_not_finite_are_noted_and_no_figure_is_made_of_them(
    write_bag: WriteBag,
):
    odd = tracking_state(
        2, objects=[object_state(1, uncertainty=nan)], mean_entropy=nan, latency_ms=nan
    )
    odd.predict_ms = nan
    written = only(usual_messages(5), f'{NODE}/tracking_state')
    written[2] = (*written[2][:3], odd)
    run = read_run(write_bag(written))
    assert isnan(run.frames[2].objects[0].uncertainty)
    for words in ('uncertainty', 'mean entropy', 'latency', 'time step'):
        assert any(note.startswith(f'{words} is not finite') for note in run.notes)
    summary = summarise(run)
    assert summary.step_p95 == pytest.approx(60.0)
    assert summary.latency_p95 == pytest.approx(80.0)


def test_object_that_is_absent_everywhere_is_noted(write_bag: WriteBag):
    states = [object_state(1), object_state(2, label='pen', area=0)]
    written = [
        (f'{NODE}/tracking_state', STATE, stamp_of(i), tracking_state(i, objects=states))
        for i in range(3)
    ]
    assert 'object 2 (pen) has no pixel in any frame' in read_run(write_bag(written)).notes


def test_events_of_an_unknown_kind_are_counted(write_bag: WriteBag):
    strange = event('ADDED', 1, 1, 0.2)
    strange.kind = 200
    written = [*usual_messages(), (f'{NODE}/correction_event', EVENT, stamp_of(30), strange)]
    run = read_run(write_bag(written))
    assert len(run.events) == 4
    assert '1 event of an unknown kind' in run.notes


def test_bag_of_an_earlier_version_is_read_by_its_own_types(tmp_path: Path):
    """Without the constants and fields that came later."""
    folder = Path(__file__).parents[2] / 'msg' / 'msg'
    texts = {path.stem: path.read_text() for path in folder.glob('*.msg')}
    for stem, words in (
        ('CorrectionEvent', ('LOST', 'RECOVERED', 'REPLAY')),
        ('ObjectState', ('bool absent',)),
    ):
        lines = texts[stem].splitlines()
        texts[stem] = '\n'.join(li for li in lines if not any(word in li for word in words))
    types = get_typestore(Stores.ROS2_JAZZY)
    for stem, text in texts.items():
        types.register(get_types_from_msg(text, f'lazy_vos_msgs/msg/{stem}'))

    def older(message: object) -> object:
        kind = type(message).__dict__['__msgtype__']
        if isinstance(message, types.types['builtin_interfaces/msg/Time']):
            return message
        names = types.types[kind].__dataclass_fields__
        values = {n: getattr(message, n) for n in names if n != '__msgtype__'}
        for name, value in values.items():
            if isinstance(value, list):
                values[name] = [older(item) for item in value]
            elif hasattr(value, '__msgtype__'):
                values[name] = older(value)
        return types.types[kind](**{k: v for k, v in values.items() if not k.isupper()})

    with Writer(tmp_path / 'bag', version=9, storage_plugin=StoragePlugin.MCAP) as writer:
        state = writer.add_connection(f'{NODE}/tracking_state', STATE, typestore=types)
        events = writer.add_connection(f'{NODE}/correction_event', EVENT, typestore=types)
        told = older(tracking_state(0))
        writer.write(state, stamp_of(0), types.serialize_cdr(told, STATE))
        asked = older(event('PSEUDO', 0, 0, 0.1))
        writer.write(events, stamp_of(0), types.serialize_cdr(asked, EVENT))
    run = read_run(tmp_path / 'bag')
    assert run.frames[0].objects[0].area == 30
    assert [item.kind for item in run.events] == [EventKind.PSEUDO]


def test_type_with_other_fields_is_a_clear_error(tmp_path: Path):
    types = get_typestore(Stores.ROS2_JAZZY)
    types.register(get_types_from_msg('std_msgs/Header header\nint32 other', STATE))
    kind = types.types[STATE]
    with Writer(tmp_path / 'bag', version=9, storage_plugin=StoragePlugin.MCAP) as writer:
        connection = writer.add_connection(f'{NODE}/tracking_state', STATE, typestore=types)
        header = types.types['std_msgs/msg/Header'](stamp=time(5), frame_id='')
        message = types.serialize_cdr(kind(header=header, other=1), STATE)
        writer.write(connection, 5, message)
    with pytest.raises(ValueError, match=r'defines lazy_vos_msgs/msg/TrackingState otherwise'):
        read_run(tmp_path / 'bag')


def test_topics_of_unknown_types_do_not_matter(tmp_path: Path):
    types = get_typestore(Stores.ROS2_JAZZY)
    for kind, definition in TYPES.fielddefs.items():
        if kind not in types.fielddefs:
            types.register({kind: definition})
    types.register(get_types_from_msg('int32 value', 'robot_msgs/msg/Own'))
    with Writer(tmp_path / 'bag', version=9, storage_plugin=StoragePlugin.MCAP) as writer:
        own = writer.add_connection('/own', 'robot_msgs/msg/Own', typestore=types)
        writer.write(own, 1, b'\x00\x01\x00\x00\x01\x00\x00\x00')
        state = writer.add_connection(f'{NODE}/tracking_state', STATE, typestore=types)
        writer.write(state, stamp_of(0), TYPES.serialize_cdr(tracking_state(0), STATE))
    assert len(read_run(tmp_path / 'bag').frames) == 1


def test_true_masks_in_the_bag_are_not_taken_for_the_camera(write_bag: WriteBag):
    truth = [('/a_truth', IMAGE, stamp_of(i), image(i, labels_of(i), 'mono8')) for i in range(12)]
    run = read_run(write_bag([*usual_messages(), *truth]))
    assert np.array_equal(run.pictures.image(stamp_of(3)), pixels_of(3))
    states = only(usual_messages(), f'{NODE}/tracking_state')
    run = read_run(write_bag([*states, *truth], name='b'), truth_topic='/a_truth')
    assert run.sent is None


def test_clip_times_give_the_number_of_the_frame(write_bag: WriteBag):
    rate = 29.97
    messages = usual_messages()
    for index in range(12):
        reference = make(
            CLIP_TIME,
            header=tracking_state(index).header,
            time_ref=time(int((76 + index) * 1e9 / rate)),
            source='clip.mp4',
        )
        messages.append(('/camera/clip_time', CLIP_TIME, stamp_of(index), reference))
    gps = make(CLIP_TIME, header=tracking_state(0).header, time_ref=time(5), source='gps')
    messages.append(('/a_gps', CLIP_TIME, stamp_of(0), gps))
    run = read_run(write_bag(messages))
    assert clip_numbers(run.clip_times) == {stamp_of(i): 76 + i for i in range(12)}


def test_clip_times_of_an_hour_stay_exact_also_with_gaps():
    times = {index: int(index * 1e9 / 23.976) for index in range(86000) if index % 5}
    assert clip_numbers(times) == {index: index for index in times}


@pytest.mark.parametrize('times', [{}, {1: 5, 2: 5}, {1: 100, 2: 250, 3: 377}])
def test_clip_times_that_tell_no_number_are_refused(times: dict[int, int]):
    with pytest.raises(ValueError, match='clip times'):
        clip_numbers(times)


def test_what_was_not_well_is_told_once_for_as_long_as_it_lasted(write_bag: WriteBag):
    kind = 'diagnostic_msgs/msg/DiagnosticArray'
    status = 'diagnostic_msgs/msg/DiagnosticStatus'
    told = [(0, ''), (1, 'no image'), (1, 'no image'), (2, 'no image'), (0, ''), (1, 'no image')]
    messages = only(usual_messages(), f'{NODE}/tracking_state')
    for second, (level, words) in enumerate(told):
        item = make(
            status, level=level, name='lazy_vos: tracker', message=words, hardware_id='', values=[]
        )
        array = make(kind, header=tracking_state(0).header, status=[item])
        messages.append(('/diagnostics', kind, stamp_of(second), array))
    found = read_run(write_bag(messages)).diagnoses
    assert [(d.level, d.count) for d in found] == [('warn', 2), ('error', 1), ('warn', 1)]
    assert found[0].time == pytest.approx(stamp_of(1) * 1e-9)


def test_definition_that_is_damaged_is_replaced_by_the_known_one(write_bag: WriteBag):
    bag = write_bag(usual_messages())
    file = bag / 'bag.mcap'
    content = file.read_bytes()
    # Where the file defines the type, and in its index.
    place = b'ObjectState[] objects'
    assert content.count(place) >= 2
    file.write_bytes(content.replace(place, b'[[[[[[[State] objects'))
    run = read_run(bag)
    assert len(run.frames) == 12
    assert any('the definition of lazy_vos_msgs/msg/TrackingState' in n for n in run.notes)
