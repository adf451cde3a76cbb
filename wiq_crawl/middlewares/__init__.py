"""Downloader middlewares: ``retry`` (back-off) and ``archive`` (every page kept, or read back)."""
