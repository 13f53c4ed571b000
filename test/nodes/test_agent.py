import cv2
import numpy as np
import pytest

from lazy_vos_ros.nodes.agent import AgentSettings
from lazy_vos_ros.nodes.agent import MaskFolder


def test_exactly_one_kind_of_ground_truth():
    with pytest.raises(ValueError, match='allowed: one of them'):
        AgentSettings()
    with pytest.raises(ValueError, match='allowed: one of them'):
        AgentSettings(clicks='a.yaml', masks='b')
    with pytest.raises(ValueError, match='reaction_time is -1'):
        AgentSettings(clicks='a.yaml', reaction_time=-1.0)


def test_masks_are_taken_in_order_and_by_object(tmp_path):
    with pytest.raises(ValueError, match='allowed: a folder with png'):
        MaskFolder(str(tmp_path))
    for index in range(3):
        labels = np.zeros((6, 8), np.uint8)
        labels[index, 0] = 1
        labels[index, 1] = 2
        cv2.imwrite(str(tmp_path / f'{index:05d}.png'), labels)
    folder = MaskFolder(str(tmp_path))
    assert np.argwhere(folder.at(1, 2)).tolist() == [[1, 1]]
    assert folder.at(3, 1) is None
    assert folder.at(-1, 1) is None
    (tmp_path / '00001.png').write_bytes(b'no png')
    with pytest.raises(ValueError, match='is no label image'):
        folder.at(1, 1)
