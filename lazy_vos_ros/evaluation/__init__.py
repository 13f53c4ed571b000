"""Metrics, simulated operators, video sources, bags and reports."""
