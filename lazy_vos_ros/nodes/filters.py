"""Bring messages of one stamp together: ROS's message_filters where it is installed."""

try:
    from message_filters import ApproximateTimeSynchronizer
    from message_filters import Subscriber
    from message_filters import TimeSynchronizer
except ImportError:
    from lazy_vos_ros.nodes.time_filters import ApproximateTimeSynchronizer
    from lazy_vos_ros.nodes.time_filters import Subscriber
    from lazy_vos_ros.nodes.time_filters import TimeSynchronizer

__all__ = ['ApproximateTimeSynchronizer', 'Subscriber', 'TimeSynchronizer']
