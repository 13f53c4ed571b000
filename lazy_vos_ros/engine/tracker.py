"""LazyTracker: the only class of the engine that the rest of the house calls."""
