"""The browser path: WIQ_RENDER=auto|always|never (never by default), through scrapy-playwright.

``auto`` fetches a page plainly and asks the browser only where the main table came without rows.
"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from wiq_crawl.errors import BadArgument

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.http import TextResponse
    from scrapy.settings import BaseSettings

MODES = ("auto", "always", "never")
_HANDLER = "scrapy_playwright.handler.ScrapyPlaywrightDownloadHandler"
_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
# Chromium asks its maker's hosts for updates and the like unless told not to.
_SWITCHES = (
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-dev-shm-usage",
    "--disable-sync",
    "--no-first-run",
    "--no-sandbox",
)
_LOOKED_AT = frozenset({"document", "script", "xhr", "fetch"})


class RenderingAddon:
    """Turns the browser's download handler on where WIQ_RENDER asks for it; else nothing of it is loaded."""

    def update_settings(self, settings: BaseSettings) -> None:
        """Set what scrapy-playwright needs."""
        if rendering_mode(settings) == "never":
            return
        executable = settings.get("WIQ_CHROMIUM") or next(filter(None, map(shutil.which, _BROWSERS)), None)
        options: dict[str, object] = {"headless": True, "args": list(_SWITCHES)}
        if executable:
            options["executable_path"] = executable
        settings.set("DOWNLOAD_HANDLERS", {"http": _HANDLER, "https": _HANDLER}, priority="addon")
        settings.set("PLAYWRIGHT_BROWSER_TYPE", "chromium", priority="addon")
        settings.set("PLAYWRIGHT_LAUNCH_OPTIONS", options, priority="addon")
        settings.set("PLAYWRIGHT_ABORT_REQUEST", "wiq_crawl.rendering.is_not_looked_at", priority="addon")


def rendering_mode(settings: BaseSettings) -> str:
    """One of MODES; BadArgument for anything else."""
    mode = str(settings.get("WIQ_RENDER"))
    if mode not in MODES:
        raise BadArgument("WIQ_RENDER", "auto, always or never", mode)
    return mode


def is_not_looked_at(request: object) -> bool:
    """Whether a browser request fetches what no record is read from: images, fonts, media, styles."""
    return getattr(request, "resource_type", "document") not in _LOOKED_AT


def needs_rendering(response: TextResponse, mode: str) -> bool:
    """Whether the page's main table came empty, so that a script must fill it."""
    if mode != "auto" or response.meta.get("playwright"):
        return False
    return any(not body.xpath("./tr") for body in response.xpath("//main//table[thead]/tbody"))


def rendered_request(request: Request | None) -> Request:
    """The same request, to be answered by the browser."""
    if request is None:
        raise ValueError("a response without its request")
    # The first answer's own notes, such as its latency, stay behind.
    return request.replace(meta={"playwright": True}, dont_filter=True)
