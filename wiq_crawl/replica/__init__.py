"""A generated loopback copy of the Treasury Board pages on occupational groups.

The structure, codes, names, addresses, counts and dates are those of the real pages; every sentence
is synthetic.  Imports run downward through these floors:

1. ``server``: serves a site on 127.0.0.1, damaged by a fault or whole;
2. ``faults``: the closed list, made of ``table_faults``, ``text_faults`` and ``page_edits``;
3. ``site``: puts all pages of both languages in one mapping and writes it as files;
4. ``main_table``, ``definitions`` (with ``definition_notices``), ``standards`` (with
   ``standard_tables``), ``standard_list``, ``qualifications``, ``pay``, ``notices``: one page family
   each;
5. ``template``: the page around the content;
6. ``facts``: the facts of one scale, read from ``small_facts.json`` or through ``recorded_facts`` and
   ``recorded_documents``;
7. ``prose``, ``markup``, ``shapes``, ``related_links``, ``fixed_facts``: wording, HTML elements and
   constant facts.

``bundle`` holds the pages of the small facts as files.
"""
