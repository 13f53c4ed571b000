import os
from time import monotonic

import cv2
import numpy as np
import pytest
import rclpy
from lazy_vos_msgs.srv import RequestCorrection
from rclpy.executors import SingleThreadedExecutor
from rclpy.parameter import Parameter
from sensor_msgs.msg import TimeReference
from std_msgs.msg import Header

from lazy_vos_ros.evaluation.label_images import write_labels
from lazy_vos_ros.nodes.agent import Agent
from lazy_vos_ros.nodes.agent import AgentSettings
from lazy_vos_ros.nodes.agent import MaskFolder
from lazy_vos_ros.nodes.images import image_message

CODES = RequestCorrection.Response


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


def test_masks_are_in_natural_order_and_may_be_indexed(tmp_path):
    for index in (9, 10):
        labels = np.zeros((6, 8), np.uint8)
        labels[0, 0] = index
        write_labels(tmp_path / f'{index}.png', labels)
    folder = MaskFolder(str(tmp_path))
    assert folder.at(0, 9).sum() == 1
    assert folder.at(1, 10).sum() == 1


class Asked:
    """An agent with masks, and a tracker's client."""

    def __init__(self, context, masks):
        given = {'masks': str(masks), 'fps': 1.0, 'reaction_time': 0.0}
        overrides = [Parameter(name, value=value) for name, value in given.items()]
        self.agent = Agent(context=context, parameter_overrides=overrides)
        self.node = rclpy.create_node('asks', context=context)
        self.executor = SingleThreadedExecutor(context=context)
        for node in (self.agent, self.node):
            self.executor.add_node(node)
        self.client = self.node.create_client(RequestCorrection, 'request_correction')

    def until(self, condition):
        end = monotonic() + 30
        while not condition():
            assert monotonic() < end, 'timed out'
            self.executor.spin_once(timeout_sec=0.05)

    def ask(self, frame, mask):
        """Return the answer about object 1 in a frame of the clip, and in words why."""
        request = RequestCorrection.Request(object_id=1, mask=mask)
        request.header.stamp.sec = 100 + frame
        told = TimeReference(header=request.header)
        told.time_ref.sec = frame
        self.agent._on_time(told)
        self.until(self.client.service_is_ready)
        call = self.client.call_async(request)
        self.until(call.done)
        return call.result().answer, call.result().message

    def close(self):
        self.executor.shutdown()
        self.agent.destroy_node()
        self.node.destroy_node()


def test_what_cannot_be_compared_is_skipped_and_the_next_question_answered(tmp_path):
    labels = np.zeros((6, 8), np.uint8)
    labels[2:4, 3:6] = 1
    cv2.imwrite(str(tmp_path / '0.png'), np.zeros((6, 8, 3), np.uint8))
    write_labels(tmp_path / '1.png', labels[:4])
    write_labels(tmp_path / '2.png', labels)
    context = rclpy.Context()
    rclpy.init(context=context, domain_id=1 + os.getpid() % 100)
    asked = Asked(context, tmp_path)
    mask = image_message(labels * 255, 'mono8', Header())
    broken = image_message(labels, 'mono8', Header())
    broken.encoding = 'nonsense'
    try:
        for frame, given, words in (
            (0, mask, '0.png has pixels of kind RGB'),
            (1, mask, 'one size'),
            (2, broken, "'nonsense'"),
            (7, mask, 'no mask for this image'),
        ):
            answer, message = asked.ask(frame, given)
            assert (answer, words in message) == (CODES.SKIP, True), message
        assert asked.ask(2, mask) == (CODES.CLICK, '')
    finally:
        asked.close()
        rclpy.shutdown(context=context)
