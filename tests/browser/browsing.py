"""A real Chromium on the console: what it complains of, whom it asks, what axe finds on its pages."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, Locator, Page, Request, expect, sync_playwright

from tests.support.processes import CHECKOUT
from tests.support.waiting import PATIENCE_SECONDS

ARTIFACTS: Path = CHECKOUT / "test-artifacts"
Theme = Literal["light", "dark"]
_PATIENCE_MILLISECONDS = 1_000 * PATIENCE_SECONDS
_GRAVE = ("serious", "critical")
_LISTEN = """
window.policyViolations = [];
document.addEventListener("securitypolicyviolation", event =>
  window.policyViolations.push(`${event.violatedDirective}: ${event.blockedURI}`));
"""


@dataclass
class Watched:
    """A page, with what went wrong on it so far."""

    page: Page
    origin: str
    complaints: list[str] = field(default_factory=list)

    def watch(self) -> None:
        """Take down errors of scripts, failed answers and requests to other hosts."""
        self.page.add_init_script(_LISTEN)
        self.page.on(
            "console",
            lambda said: self._add(f"{said.text} {said.location['url']}") if said.type == "error" else None,
        )
        self.page.on("pageerror", lambda error: self._add(str(error)))
        self.page.on("request", self._requested)
        self.page.on("response", lambda answer: self._add(answer.url) if answer.status >= 400 else None)

    def violations(self) -> list[str]:
        """What the enforced content security policy has refused on the page shown."""
        found: list[str] = self.page.evaluate("window.policyViolations")
        return found

    def grave_findings(self) -> list[str]:
        """What axe finds serious or critical on the page shown, with the elements."""
        found = Axe().run(self.page).response["violations"]
        return [
            f"{item['id']}: {node['html'][:160]}"
            for item in found
            if item["impact"] in _GRAVE
            for node in item["nodes"]
        ]

    def overflow(self) -> int:
        """By how many pixels the page is wider than the window."""
        width: int = self.page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        return width

    def _requested(self, request: Request) -> None:
        if urlsplit(request.url).scheme in ("http", "https") and not request.url.startswith(self.origin):
            self._add(f"asked {request.url}")

    def _add(self, complaint: str) -> None:
        self.complaints.append(complaint)


def numbers_shown(cells: Locator) -> list[float]:
    """The numbers within, at the full precision that hovering shows."""
    titles = cells.locator(".pm-number[title]").evaluate_all("found => found.map(item => item.title)")
    return [float(title) for title in titles]


@contextmanager
def browsing(
    origin: str, session: str, *, theme: Theme = "light", width: int = 1280
) -> Iterator[tuple[BrowserContext, Watched]]:
    """A window of a logged-in user. No database call may be made inside: Playwright runs an event loop."""
    chromium = shutil.which("chromium")
    expect.set_options(timeout=_PATIENCE_MILLISECONDS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox"], timeout=_PATIENCE_MILLISECONDS
        )
        context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=theme)
        context.add_cookies([{"name": "sessionid", "value": session, "url": origin}])
        context.set_default_timeout(_PATIENCE_MILLISECONDS)
        watched = Watched(context.new_page(), origin)
        watched.watch()
        yield context, watched
        browser.close()
