import shutil
from pathlib import Path

import pytest

from lazy_vos_ros.evaluation.bag_file import BagFile
from lazy_vos_ros.nodes.bag_writer import BagWriter
from lazy_vos_ros.nodes.recorder import default_topics
from lazy_vos_ros.nodes.recorder import read_topics


@pytest.mark.parametrize('text', ['', 'topics:\n', 'topics: image', 'topics: [1]', '[a', '- a'])
def test_a_wrong_list_of_topics_names_the_file(tmp_path, text):
    path = tmp_path / 'topics.yaml'
    path.write_text(text)
    with pytest.raises(ValueError, match=r'topics\.yaml'):
        read_topics(path)


def test_a_list_of_topics_may_lie_in_the_home_folder(tmp_path, monkeypatch):
    monkeypatch.setenv('HOME', str(tmp_path))
    (tmp_path / 'mine.yaml').write_text('topics: [image]\n')
    assert read_topics(Path('~/mine.yaml')) == ['image']


def test_the_list_that_is_shipped_has_what_evaluation_needs():
    topics = read_topics(default_topics())
    assert {'lazy_vos/mask', 'lazy_vos/tracking_state', 'lazy_vos/correction_event'} <= {*topics}


def test_a_bag_is_never_overwritten(tmp_path):
    (tmp_path / 'bag').mkdir()
    (tmp_path / 'bag' / 'precious').write_text('')
    with pytest.raises(ValueError, match='exists already'):
        BagWriter(tmp_path / 'bag', 'mcap')
    assert (tmp_path / 'bag' / 'precious').exists()


def test_a_folder_that_cannot_be_made_and_an_unknown_storage(tmp_path):
    (tmp_path / 'file').write_text('')
    with pytest.raises(ValueError, match='cannot be made'):
        BagWriter(tmp_path / 'file' / 'bag', 'mcap')
    with pytest.raises(ValueError, match='allowed: mcap, sqlite3'):
        BagWriter(tmp_path / 'bag', 'zip')


@pytest.mark.parametrize('storage', ['mcap', 'sqlite3'])
def test_what_was_flushed_can_be_read_though_the_recorder_never_ends(tmp_path, storage):
    writer = BagWriter(tmp_path / 'bag', storage)
    writer.add_topic('/words', 'std_msgs/msg/String', [])
    writer.flush()
    for number in range(3):
        writer.write('/words', 1000 + number, b'\x00\x01\x00\x00\x02\x00\x00\x00a\x00')
    writer.flush()
    writer.write('/words', 2000, b'\x00\x01\x00\x00\x02\x00\x00\x00b\x00')
    shutil.copytree(tmp_path / 'bag', tmp_path / 'killed')
    with BagFile(tmp_path / 'killed') as bag:
        assert [time for _, time, _ in bag.messages('/words')][:3] == [1000, 1001, 1002]
        assert any('metadata.yaml is missing' in fault for fault in bag.faults)
    writer.close()
    with BagFile(tmp_path / 'bag') as bag:
        assert [message.data for _, _, message in bag.messages('/words')] == ['a', 'a', 'a', 'b']
        assert bag.faults == []
