"""Where one value came from: from the published cell back to the row or address in its source.

Floors, imports run downward only::

    layout                the chain as people read it
    reasons · figures     why, in the reader's language; values and confidences
    prose                 where a line may break
    chain                 what the run holds about one cell
    finding               which thing and which attribute a user means
"""
