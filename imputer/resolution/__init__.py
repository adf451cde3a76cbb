"""Job title → NOC unit group → OaSIS profile: pure functions of tables, no files but the fitted calibration.

Floors, imports run downward only::

    files                                   CSV and Parquet in, one row per row out, in bounded memory
    miscodings · tables                     suspected miscodings; Arrow tables in and out
    resolver                                the whole question answered
    within · unit_groups                    the five tiers inside a unit group; the unit group of a title without one
    profiles · evidence                     what speaks for each profile, for each unit group
    corpus · coded · likeness · choice      what titles are compared with, and how
    fitted · answer                         weights and curves that backtests fitted; question and answer
    normalise · gender · words              titles as they are compared
"""

from imputer.resolution.answer import Candidate, Request, Resolution
from imputer.resolution.resolver import Resolver, resolve

__all__ = ["Candidate", "Request", "Resolution", "Resolver", "resolve"]
