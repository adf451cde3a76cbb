"""The imputer: what is missing in the job data, filled from sources, O*NET, then a model, each with its proof.

Floors, imports run downward only::

    cli · __main__                                    what users type
    commands                                          one module per command: arguments in, words out
    impute · asking · retention                       a run; what a model is asked around it; what is disposed of
    conclusion · gathering                            judged, promoted, told; everything a run rests on
    titles · evaluate · settings                      every title resolved; backtests and what they measure
    resolution · onet · descriptors · ranges          titles to profiles; O*NET; what maps to what; range by range
    explain · report · gap_summary · batch            what people read of a run; jobs for a language model
    tiers · gold · verdict                            who states what; the tables; was the run good
    sources · calibration · dimensions                the input files; measured confidence; what values are about
    neighbours · similar_titles                       jobs alike by title; what they say of a cell
    statements · precedence · table_files · finished    the log, who wins, files written and read
    wording · printing · progress · errors

``standin`` stands beside them: loopback services for tests and demo. ``sample`` holds small input files.
"""
