"""Settings of the crawl: polite, and failing loudly.

Reference: https://docs.scrapy.org/en/latest/topics/settings.html
"""

import os

from schemas.version import VERSION

BOT_NAME = "wiq_crawl"
SPIDER_MODULES = ["wiq_crawl.spiders"]
COMMANDS_MODULE = "wiq_crawl.commands"  # `scrapy crawl` with an honest exit status, `scrapy extract`, …

# --- politeness ---------------------------------------------------------------------------------------------------
USER_AGENT = f"WiQ/{VERSION} (workforce data; Scrapy; one request a second)"  # says what it is; canada.ca serves it
ROBOTSTXT_OBEY = True  # the library’s default is False
CONCURRENT_ITEMS = 1  # a page yields one item; the library’s 100 starts a hundred tasks to write it
CONCURRENT_REQUESTS_PER_DOMAIN = 1  # with the delay: one request at a time
DOWNLOAD_DELAY = 1.0  # seconds
DOWNLOAD_DELAY_JITTER = 0  # the promise is one request a second, not one on average
AUTOTHROTTLE_ENABLED = True  # slows down further when the site answers slowly
AUTOTHROTTLE_START_DELAY = 1.0  # the library’s 5 s would double a run of some 40 pages
AUTOTHROTTLE_MAX_DELAY = 60.0
DOWNLOAD_TIMEOUT = 60  # seconds; the library’s 180 hides a dead site for long
COOKIES_ENABLED = False  # the site needs none
DEFAULT_REQUEST_HEADERS = {
    "Accept": "text/html,application/xhtml+xml",
    "Accept-Language": "en-CA,fr-CA;q=0.9",
    "Cache-Control": "max-age=0",  # no month-old copy from a cache on the way
}

# --- retries and redirects ----------------------------------------------------------------------------------------
RETRY_TIMES = 3
RETRY_GIVE_UP_LOG_LEVEL = "WARNING"  # the errback reports the failure itself
RETRY_HTTP_CODES = [429, 500, 502, 503, 504, 522, 524, 408]
WIQ_RETRY_BACKOFF = 2.0  # seconds before the first retry, doubled each time; Retry-After counts where it is longer
WIQ_RETRY_BACKOFF_MAXIMUM = 120.0
REDIRECT_ENABLED = False  # a moved page is news for the maintainer, not to be followed silently
METAREFRESH_ENABLED = False

# --- failing loudly -----------------------------------------------------------------------------------------------
HTTPERROR_ALLOW_ALL = False  # every status but 200 reaches the errback
DOWNLOAD_FAIL_ON_DATALOSS = True  # a cut transfer is a failure
DEPTH_LIMIT = 0  # the spider bounds the depth itself, from `-a depth=`
HTTPCACHE_ENABLED = False  # the archive keeps the pages; a cache could serve old ones without asking

# --- components ---------------------------------------------------------------------------------------------------
ITEM_PIPELINES = {
    "wiq_crawl.pipelines.validate.ValidatePipeline": 100,  # first: nothing unvalidated goes further
    "wiq_crawl.pipelines.deduplicate.DeduplicatePipeline": 200,
    "wiq_crawl.pipelines.pair.PairPipeline": 300,  # after deduplication: pairs need unique keys
    "wiq_crawl.pipelines.write.WritePipeline": 400,
}
DOWNLOADER_MIDDLEWARES = {
    "scrapy.downloadermiddlewares.retry.RetryMiddleware": None,  # replaced by the next line
    "wiq_crawl.middlewares.retry.BackoffRetryMiddleware": 550,  # the replaced one’s place
    "wiq_crawl.middlewares.archive.ArchiveMiddleware": 900,  # next to the downloader: sees the bytes as they came
}
EXTENSIONS: dict[str, int | None] = {
    "wiq_crawl.extensions.saved_pages.SavedPages": 100,
    "wiq_crawl.extensions.progress.Progress": 200,
}
ADDONS = {"wiq_crawl.rendering.RenderingAddon": 100}

# --- consoles that nobody asked for -------------------------------------------------------------------------------
# Left out rather than disabled: the library loads what it disables, and with it a web server and a client.
EXTENSIONS |= {
    "scrapy.extensions.telnet.TelnetConsole": None,
    "scrapy.extensions.remote_control.RemoteControl": None,  # runs Python code sent to it, on by default since 2.19
}

# --- output -------------------------------------------------------------------------------------------------------
WIQ_OUTPUT = os.environ.get("WIQ_OUTPUT", "output")  # the folder that holds tbs/latest, tbs/runs, …
WIQ_EXPECTATIONS = os.environ.get("WIQ_EXPECTATIONS", "")  # another expectations file, such as the replica’s
WIQ_RENDER = os.environ.get("WIQ_RENDER", "never")  # auto, always or never: a browser for pages filled by script
WIQ_READERS = os.environ.get("WIQ_READERS", "1")  # processes beside the crawl’s own that read pages; 0 for none
WIQ_CHROMIUM = os.environ.get("WIQ_CHROMIUM", "")  # the browser; found on PATH where empty
LOG_LEVEL = "CRITICAL"  # on the console, where the summary tells every failure; crawl.log has all from INFO up
LOG_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
LOG_DATEFORMAT = "%Y-%m-%dT%H:%M:%S"
LOGSTATS_INTERVAL = 60.0
FEED_EXPORT_ENCODING = "utf-8"
TWISTED_REACTOR = "twisted.internet.asyncioreactor.AsyncioSelectorReactor"  # scrapy-playwright needs it
