"""The input files: what they are, how they are got, and one strict reader for each.

Floors, imports run downward only::

    inputs                          everything that a run reads, checked against the registry
    fetching · download             getting files from their publishers
    accepting                       versions that the user brings or accepts
    readers · issues                which reader reads which file; the repairs as a published table
    folder · registry               which files there are, where they come from, which version is known
    crosswalk · job_architecture · noc · oasis_* · onet_* · outlook · tbs     the readers
    attributes · codes · csv_text · reading                                   what readers share

Every code is text. A known anomaly is repaired by a named rule and logged; an unknown one stops the run.
"""

from imputer.sources.inputs import Inputs, read_inputs
from imputer.sources.reading import DataIssue, Reading
from imputer.sources.registry import Registry, SourceFile, load_registry

__all__ = ["DataIssue", "Inputs", "Reading", "Registry", "SourceFile", "load_registry", "read_inputs"]
