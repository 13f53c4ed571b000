"""Which frame of its clip an image is, as `lazy_vos_camera` tells on `~/clip_time`."""

from __future__ import annotations

from collections.abc import Collection
from collections.abc import Mapping
from itertools import pairwise

from lazy_vos_ros.evaluation.bag_file import BagFile
from lazy_vos_ros.evaluation.bag_pictures import nanoseconds

TIME_REFERENCE = 'sensor_msgs/msg/TimeReference'


def read_clip_times(bag: BagFile, processed: Collection[int]) -> dict[int, int]:
    """Return the time in the clip by stamp (ns); empty if it was not recorded.

    Parameters
    ----------
    bag
        Any bag.
    processed
        Stamps of the processed images. The topic is the one that tells most of them; GPS
        receivers publish messages of the same type.
    """
    best: dict[int, int] = {}
    for topic in bag.topics_of(TIME_REFERENCE):
        times = {
            nanoseconds(message.header.stamp): nanoseconds(message.time_ref)
            for _, _, message in bag.messages(topic)
        }
        if len(times.keys() & set(processed)) > len(best.keys() & set(processed)):
            best = times
    return best


def clip_numbers(times: Mapping[int, int]) -> dict[int, int]:
    """Return the number of the clip's frame by stamp, from the times in the clip.

    The time between two frames is the shortest that occurs, so that at least two neighbours must
    be among them.

    Raises
    ------
    ValueError
        If there are not two different times, or they are not multiples of one time.
    """
    ordered = sorted(set(times.values()))
    gaps = [after - before for before, after in pairwise(ordered)]
    if not gaps:
        raise ValueError(
            f'{len(times)} clip times of {len(ordered)} frames; allowed: two frames or more'
        )
    shortest = min(gaps)
    # Times are cut to nanoseconds, so these gaps differ by one, and their mean is exact.
    single = [gap for gap in gaps if gap <= shortest + 1]
    step = sum(single) / len(single)
    if any(abs(time / step - round(time / step)) > 0.1 for time in ordered):
        raise ValueError(
            f'clip times are no multiples of {step * 1e-9:.6f} s; allowed: those of one clip'
        )
    return {stamp: round(time / step) for stamp, time in times.items()}
