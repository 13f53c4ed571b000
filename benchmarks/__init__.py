"""Measurements of speed and memory; each file is run by itself and prints a table."""
