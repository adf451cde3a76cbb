"""What users type: ``scrapy crawl``, ``extract``, ``changes``, ``replica``."""
