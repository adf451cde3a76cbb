"""The tiers, in the order in which they are asked: each states values for the job titles in ``resolved``.

::

    hierarchical    what authoritative sources say of the profile or unit group that a title was resolved to
    descriptions    texts that describe a title: of its profile, its unit group, or the one O*NET occupation
    onet            what O*NET says of the occupations that a crosswalk ties to the unit group
    llm             what a model answered, for cells that neither fills
    neighbours      the mean of similar job titles, for numbers that the first two do not fill; only where asked for
    measured        adds nothing: puts on the last two what backtests measured, probability and 90 % interval

Each adds rows to ``stated`` (statements.STATED_COLUMNS). No data, no statement.
"""
