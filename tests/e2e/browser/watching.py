"""What a browser says of a page: what goes wrong in it, whether it fits, whether it can be read."""

from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from playwright.async_api import ConsoleMessage, Page, Request, Response

#: A screen of an office, the narrowest with whole tables, a tablet across and upright, telephones.
WIDTHS: Final = (1280, 861, 800, 768, 390, 320)
_HEIGHT: Final = 900

_READABLE: Final = (Path(__file__).parent / "readable.js").read_text(encoding="utf-8")
_TOO_WIDE: Final = """() => {
    const { scrollWidth, clientWidth } = document.documentElement;
    if (scrollWidth <= clientWidth) return [];
    const wide = [...document.querySelectorAll("body *")]
        .filter((one) => one.getBoundingClientRect().right > clientWidth + 1);
    return [`${scrollWidth} wide, for example ${wide[0]?.outerHTML.slice(0, 120)}`];
}"""

_NAME: Final = """(one) =>
    `${one.tagName} ${one.getAttribute("href") ?? `${one.name} ${one.value}`}`.trim()"""
_STOPS: Final = f"""() => [...document.querySelectorAll(
    "a[href], button, select, textarea, input:not([type=hidden])")].map({_NAME})"""
_FOCUSED: Final = f"() => ({_NAME})(document.activeElement)"
_SHOWS_FOCUS: Final = "() => getComputedStyle(document.activeElement).outlineStyle !== 'none'"


class Watch:
    """Notes what goes wrong in a page from now on.

    `origins` are those that the page may ask, as ``http://host:port``.
    """

    def __init__(self, page: Page, *origins: str) -> None:
        self._origins = frozenset(origins)
        self.faults: list[str] = []
        self.asked: list[str] = []
        page.on("console", self._said)
        page.on("pageerror", lambda error: self.faults.append(f"script: {error}"))
        page.on("request", self._asked)
        page.on("requestfailed", self._failed)
        page.on("response", self._answered)

    def _said(self, message: ConsoleMessage) -> None:
        # An answer that is an error is looked at as an answer.
        is_of_answer = message.text.startswith("Failed to load resource")
        if message.type == "error" and not is_of_answer:
            self.faults.append(f"console: {message.text}")

    def _asked(self, request: Request) -> None:
        self.asked.append(request.url)
        url = urlsplit(request.url)
        if f"{url.scheme}://{url.netloc}" not in self._origins:
            self.faults.append(f"asked elsewhere: {request.url}")

    def _failed(self, request: Request) -> None:
        # Who leaves a page breaks off what it was just asking for.
        if request.failure != "net::ERR_ABORTED":
            self.faults.append(f"{request.failure}: {request.url}")

    def _answered(self, response: Response) -> None:
        if not response.ok and not response.request.is_navigation_request():
            self.faults.append(f"{response.status}: {response.url}")


async def misfits(page: Page) -> list[str]:
    """At which widths the page must be scrolled sideways, and what sticks out."""
    found = []
    for width in WIDTHS:
        await page.set_viewport_size({"width": width, "height": _HEIGHT})
        found += [f"at {width}: {fault}" for fault in await page.evaluate(_TOO_WIDE)]
    return found


async def unreadable(page: Page) -> list[str]:
    """What keeps people from reading the page, by day and by night, wide and narrow."""
    found: list[Any] = []
    for width in (WIDTHS[0], WIDTHS[-1]):
        await page.set_viewport_size({"width": width, "height": _HEIGHT})
        for scheme in ("light", "dark"):
            await page.emulate_media(color_scheme=scheme)
            found += [f"{width}, {scheme}: {fault}" for fault in await page.evaluate(_READABLE)]
    return found


async def walked(page: Page) -> tuple[list[str], list[str]]:
    """All links and controls as they stand in the page, and what the tabulator reaches in turn."""
    stops: list[str] = await page.evaluate(_STOPS)
    reached: list[str] = []
    for _ in range(2 * len(stops) + 8):
        await page.keyboard.press("Tab")
        now = await page.evaluate(_FOCUSED)
        # A date is one control, in which day, month, year and the calendar are stops.
        if reached[-1:] != [now]:
            reached.append(now if await page.evaluate(_SHOWS_FOCUS) else f"{now}, unseen")
        if len(reached) == len(stops):
            break
    return stops, reached
