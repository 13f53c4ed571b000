"""Set up the environment of ./lazy-vos: standard library only, Python 3.10 to 3.12."""
