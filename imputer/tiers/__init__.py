"""The tiers, in the order in which they are asked: each states values for the job titles in ``resolved``.

::

    hierarchical    what authoritative sources say of the profile or unit group that a title was resolved to
    onet            what O*NET says of the occupations that a crosswalk ties to the unit group
    llm             what a model answered, for cells that neither fills

Each adds rows to ``stated`` (statements.STATED_COLUMNS). No data, no statement.
"""
