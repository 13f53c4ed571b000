"""The report of one or several evaluated runs, as one HTML file and figures."""

from lazy_vos_ros.evaluation.report.page import write_report

__all__ = ['write_report']
