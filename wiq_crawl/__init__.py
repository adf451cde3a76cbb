"""The crawl of the Treasury Board pages on occupational groups, English and French.

Floors, imports run downward only::

    commands                                          what users type: crawl, extract, changes, demo, replica
    conclusion · summary                              the end of a run: judged, promoted or not, told
    verdict · read_back · changes                     was the run good; what changed since the last good one
    spiders · pipelines · middlewares · extensions    the Scrapy components
    history · archive                                 ADD/MOD/DEL, the web archive
    table_files · failures · rendering · reading      the files of a table, what failed, the browser, who reads a page
    checks · read_lines · helper · helper_process     a page and a file by themselves; a process beside the crawl's own
    pages · loaders                                   one module per page kind; pure: a page in, records out
    arguments · expectations · labels · addresses · items    what is known beforehand; what a page yields
    errors · settings · word_difference

``replica`` stands beside them: a generated loopback copy of the site that imports none of the above.
"""
