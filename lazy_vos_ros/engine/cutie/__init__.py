"""Cutie as a tracker: the network comes from the package rf-cutie, an optional extra."""
