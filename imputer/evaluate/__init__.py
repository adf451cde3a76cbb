"""Backtests: what resolution, inheritance and O*NET get right where the truth is known, and how sure that is.

Floors, imports run downward only::

    model · kept                              the model tier and similar titles; the file of all figures
    backtests                                 the other tiers together
    resolution · inheritance · descriptors    one backtest per tier
    model_figures                             what is told of the hidden cells as a whole
    asking · baselines · confidence · scores  the model asked; what is guessed without one; calibration; records
    masking · conformal · skill               which cells are hidden; intervals around values; one error against another
    cells                                     known values, guesses for them, and how right those are
    figures                                   a measured figure beside its bar
    intervals                                 bootstrap intervals, calibration error, rising curves

The calibrated confidences that runs state are fitted here, and measured on folds that they were not fitted on.
"""
