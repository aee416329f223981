"""One Chromium for all browser tests of a process, with browser contexts that are used again.

A new context compiles all of Streamlit's scripts, which takes two seconds of a core each time; a used one
has them, as long as its process lives and the address of the server stays the same. So each context keeps
one page open, and all of its pages live in one process. Cookies and stored data go before it is used again.
"""

from __future__ import annotations

import os
import shutil
from contextlib import ExitStack
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, sync_playwright

# The shell is the same browser without what only a window needs; a page costs it less.
NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
BROWSER = next(filter(None, map(shutil.which, NAMES)), None)
WAIT = 60_000  # milliseconds, for anything on a page; what is there takes a fraction of a second
QUIET = ["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync"]
# A name that is not this machine's: browsers refuse it on plain http what they allow on localhost. And one
# that the provider of the tests takes its style from: a route instead would keep a page from using its cache.
NAMED = ["--host-resolver-rules=MAP studio.test 127.0.0.1, MAP cdn.jsdelivr.net ~NOTFOUND"]
# Compiling a script for speed costs more than a page of these tests lives to gain from it.
INTERPRET = ["--js-flags=--no-opt --no-maglev"]
# Threads beside the page do not read a script that was compiled before: a twentieth of a visit. The last list
# of a command line counts, so the rest of it is those of Playwright's list that could matter here.
WITHOUT = (
    "ScriptStreaming",
    "AvoidUnnecessaryBeforeUnloadCheckSync",
    "DestroyProfileOnBrowserClose",
    "HttpsUpgrades",
    "HttpsFirstBalancedModeAutoEnable",
    "MediaRouter",
    "PaintHolding",
    "ThirdPartyStoragePartitioning",
    "AvoidCorsURLLoaderRestartOnRedirect",
    "OptimizationHints",
)


class Chromium:
    """Starts the browser at its first use, and again after `close`."""

    def __init__(self) -> None:
        self._running = ExitStack()
        self._browser: Browser | None = None
        self._free: dict[str, list[BrowserContext]] = {}
        self._visited: dict[BrowserContext, set[str]] = {}

    @property
    def browser(self) -> Browser:
        """The running browser. Without one on this machine the test is skipped; in CI it fails."""
        if self._browser is None:
            if BROWSER is None:
                if os.environ.get("CI"):
                    pytest.fail("CI has to have a browser: .ci/run installs chromium.")
                pytest.skip("no chromium on this machine: apt-get install chromium")
            chromium = self._running.enter_context(sync_playwright()).chromium
            arguments = [*QUIET, *NAMED, *INTERPRET, "--process-per-site"]
            arguments.append(f"--disable-features={','.join(WITHOUT)}")
            self._browser = self._running.enter_context(
                chromium.launch(executable_path=BROWSER, args=arguments)
            )
        return self._browser

    def context(self, url: str, **device: object) -> BrowserContext:
        """Return a context that knows nothing of earlier visits, for pages of this server.

        Args:
            url: an address on the server.
            device: Playwright's options of a context that hold for all of its pages.
        """
        free = self._free.setdefault(repr(device), [])
        origin = "{0.scheme}://{0.netloc}".format(urlsplit(url))
        if free:
            context = free.pop()
        else:
            still: dict[str, Any] = {"reduced_motion": "reduce"}  # drawing what moves costs a fifth of a page
            context = self.browser.new_context(**still | device)
            context.set_default_timeout(WAIT)
            context.new_page().goto(f"{origin}/_stcore/health")
            self._visited[context] = set()
        self._visited[context].add(origin)
        self._forget(context)
        return context

    def give_back(self, context: BrowserContext, **device: object) -> None:
        """Close its pages, and keep it for another test."""
        for page in context.pages[1:]:
            page.close()
        self._free[repr(device)].append(context)

    def close(self) -> None:
        """End the browser, if it runs."""
        self._free.clear()
        self._visited.clear()
        self._browser = None
        self._running.close()

    def _forget(self, context: BrowserContext) -> None:
        context.clear_cookies()
        session = context.new_cdp_session(context.pages[0])
        for origin in self._visited[context]:
            session.send("Storage.clearDataForOrigin", {"origin": origin, "storageTypes": "all"})
        session.detach()
