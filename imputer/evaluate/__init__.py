"""Backtests: what resolution, inheritance and O*NET get right where the truth is known, and how sure that is.

Floors, imports run downward only::

    resolution · inheritance · descriptors    one backtest per tier
    figures                                   a measured figure beside its bar
    intervals                                 bootstrap intervals, calibration error, rising curves

The calibrated confidences that runs state are fitted here, and measured on folds that they were not fitted on.
"""
