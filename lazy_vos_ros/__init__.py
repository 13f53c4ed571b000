"""Keep hold of an object in a live camera stream, and ask for a click only when needed."""

from os import environ as _environ

# The threads of PyTorch wait for each other some hundred times a frame. By default they spin,
# which costs whole time slices of the scheduler wherever another program runs on one of their
# cores, as ROS's own does. This is read once, when PyTorch is first imported.
_environ.setdefault('OMP_WAIT_POLICY', 'PASSIVE')

__version__ = '0.1.0'
