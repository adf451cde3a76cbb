"""Pipelines: policy. A page's records are validated, then deduplicated, then paired, then written.

None of them ever raises ``NotConfigured`` or ``DropItem``: Scrapy would go on without them.
"""
