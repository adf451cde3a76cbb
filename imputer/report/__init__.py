"""The report of a run: one self-contained HTML page per language, with plots and the same figures as tables.

Floors, imports run downward only::

    writing                      the page, written
    values · proofs · quality    what stands under each heading
    plots · facts · page         pictures; what the tables hold; the bits of HTML
    columns                      what several tables have in common

A page depends on the tables of the run and on the backtest's figures alone: same tables, same bytes.
"""

from imputer.report.writing import write_report

__all__ = ["write_report"]
