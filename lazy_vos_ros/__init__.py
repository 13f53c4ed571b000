"""Keep hold of an object in a live camera stream, and ask for a click only when needed."""

__version__ = '0.1.0'
