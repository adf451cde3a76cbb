"""Scrapy extensions: ``saved_pages`` (the page behind a failure) and ``progress`` (on a terminal)."""
