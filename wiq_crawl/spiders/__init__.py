"""Spiders: navigation only. Reading is in ``pages``, policy in ``pipelines``."""
