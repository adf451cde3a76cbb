"""Why an imputation fails: one tree, each class with the failure kind that ``run.json`` carries.

::

    RunError (schemas.errors: RunInProgress, OutputUnwritable, Incomplete)
    └── ImputeError
        ├── WrongUsage          wrong_usage        the command line or a setting, before anything is read
        ├── SourceMissing       source_missing     an input file is not there
        ├── SourceAltered       source_altered     an input file is not the one that the registry names
        ├── SourceMalformed     source_malformed   an anomaly in an input file that no rule knows (sources)
        ├── ProviderRefused     provider_refused   O*NET Web Services or the batch API said no: key, address
        ├── ProviderPartial     provider_partial   either of them answered in part, or not at all
        ├── ExpectationFailed   expectation        a count is not what it must be (conclusion)
        ├── BrokenKey           broken_key         a primary or foreign key does not hold (publish)
        └── InvalidRecord       invalid_record     a record breaks its schema (publish)
"""

from __future__ import annotations

from schemas.errors import RunError


class ImputeError(RunError):
    """Root of the errors that only an imputation knows."""


class WrongUsage(ImputeError):
    """Raised by commands and settings."""

    kind = "wrong_usage"


class SourceMissing(ImputeError):
    """Raised by sources: names the file and how to get it."""

    kind = "source_missing"


class SourceAltered(ImputeError):
    """Raised by sources where a checksum differs from the registry's."""

    kind = "source_altered"


class SourceMalformed(ImputeError):
    """Raised by the readers of sources: a header, code or value that no named rule repairs."""

    kind = "source_malformed"


class ProviderRefused(ImputeError):
    """Raised by the clients of O*NET Web Services and of the batch API for 401 and 403."""

    kind = "provider_refused"


class ProviderPartial(ImputeError):
    """Raised by the same: less than announced, or no answer to the end."""

    kind = "provider_partial"


class ExpectationFailed(ImputeError):
    """Noted by the conclusion of a run."""

    kind = "expectation"


class BrokenKey(ImputeError):
    """Raised by publish where a key is doubled or leads nowhere."""

    kind = "broken_key"


class InvalidRecord(ImputeError):
    """Raised by publish where a record breaks its schema."""

    kind = "invalid_record"
