"""What may no longer be kept: a schedule, what is due under it, and disposing of it with a log.

Floors, imports run downward only::

    disposition     a new run without what is due; the log of what went; older runs removed
    due             which withdrawn statements are due, held, or not yet due
    schedule        the rules, read from a TOML file (schedule.example.toml)

Nothing that stands is ever due: only statements that their source no longer supports.
"""
