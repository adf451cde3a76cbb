"""The version of WiQ, stated once; ``pyproject.toml`` reads it."""

VERSION = "0.1.0"
