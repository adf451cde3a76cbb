"""The batch engine: questions to a model, asked by the file, that are not lost, doubled, overspent or believed blindly.

::

    exchange · display · engine · given_up   plain files for other runners; what is shown; pass after pass; the rest
    told · subjects                          what a model was told, found again; what every question was about
    collection · submission                  answers fetched; files sent
    recovery · reading · shards              what was lost found again; answers read; questions written
    accepted · answers · service             statements; lines of answers; the API
    balance                                  what was spent, what is open
    questions · ledger                       what is asked; what is known to have happened
    jobs · ledger_file                       jobs, shards and their states; the file and how it is opened
    described                                what is asked for a description
    lines · contracts · prices · options     request lines; what may be answered; cost; settings

Everything that must survive the process stands in ``output/wiq/batch``: the ledger (SQLite), the request files as they
were sent, the answer files as they came, and the accepted answers as Parquet. Copied to another machine with the
output folder, the work goes on there. A key is never among it.
"""
