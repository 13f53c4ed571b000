"""Keep hold of an object in a live camera stream, and ask for a click only when needed."""

from os import environ as _environ

# The threads of PyTorch wait for each other some hundred times a frame. By default they spin for
# long, which costs whole time slices of the scheduler wherever another program runs on one of
# their cores, as ROS's own does. This is read once, when PyTorch is first imported.
if 'OMP_WAIT_POLICY' not in _environ:
    _environ.setdefault('GOMP_SPINCOUNT', '2000')

__version__ = '0.1.0'
