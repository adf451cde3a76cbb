"""The crawl of the Treasury Board pages on occupational groups, English and French.

Floors, imports run downward only::

    commands                              what users type: crawl, extract, changes, replica
    verdict · changes                     was the run good; what changed since the last good one
    spiders · pipelines · middlewares · extensions    the Scrapy components
    runs · history · archive              run folders and promotion, ADD/MOD/DEL, the web archive
    pages                                 one module per page kind; pure: a page in, records out
    loaders · items · labels · expectations · arguments
    errors                                the exception tree

``replica`` stands beside them: a generated loopback copy of the site that imports none of the above.
"""
