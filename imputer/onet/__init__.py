"""O*NET for NOC unit groups: what its occupations say of a unit group, how sure that is, and where it came from.

Floors, imports run downward only::

    values · agreement · occupations      every attribute of every unit group; the other published tables
    numbers · votes · lists · confidence  findings by kind of attribute; how sure they are
    aggregate · findings                  means over occupations; what a finding is
    links · cardinality                   which occupations stand for a unit group, and how many on either side
    provider                              the files of a release, or the service
    web_services                          the service: whole tables, kept per release
    about · pages · cache                 its release; all pages or an error; what was answered before
    answers                               one request after the other
    tables · queries · attribution · rules
"""
