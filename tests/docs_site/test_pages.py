# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The built documentation in a real browser: nothing overflows, every picture and link is there, at both widths."""

from __future__ import annotations

import functools
import html.parser
import os
import pathlib
import typing as t
import urllib.parse

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

SITE = pathlib.Path(os.environ["ENTRA_SITE"])
PAGES = sorted(path for path in SITE.rglob("*.html") if "_static" not in path.parts)
GUIDES = [path for path in PAGES if path.parent.name == "docsite"]
DESKTOP, PHONE = 1280, 390
# A page that is longer is split or cut.
MAX_GUIDE_HEIGHT = 8000


@pytest.fixture(scope="session")
def browser() -> t.Iterator[Browser]:
    """A headless Chromium."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=os.environ["ENTRA_CHROMIUM"], args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture(scope="session", params=[DESKTOP, PHONE], ids=["desktop", "phone"])
def page(request: pytest.FixtureRequest, browser: Browser) -> t.Iterator[Page]:
    """A tab as wide as a desktop or a phone."""
    tab = browser.new_page(viewport={"width": request.param, "height": 900})
    yield tab
    tab.close()


def measure(page: Page, script: str) -> t.Any:
    """Return what a script in the page returns for its elements."""
    return page.evaluate(f"(() => {{ const all = (css) => [...document.querySelectorAll(css)]; return {script}; }})()")


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(SITE)))
def test_a_page_is_pleasant_to_read(path: pathlib.Path, page: Page) -> None:
    assert page.viewport_size
    width = page.viewport_size["width"]
    page.goto(path.as_uri())
    assert measure(page, "document.documentElement.scrollWidth") <= width, "the page scrolls sideways"
    assert measure(page, "all('img').filter((image) => !image.naturalWidth).map((image) => image.src)") == []
    assert measure(page, "all('.document img').filter((image) => !image.alt).map((image) => image.src)") == []
    assert measure(page, "all('caption').filter((caption) => !caption.offsetHeight).length") == 0
    if path in GUIDES:
        wide = "all('.wy-table-responsive').map((one) => one.scrollWidth / one.clientWidth).filter((one) => one > 2)"
        assert measure(page, wide) == [], "a list reads better than a table that scrolls sideways"
        if width == DESKTOP:
            assert measure(page, "document.documentElement.scrollHeight") <= MAX_GUIDE_HEIGHT


def test_a_page_is_dark_for_readers_who_prefer_that(browser: Browser) -> None:
    tab = browser.new_page(color_scheme="dark")
    tab.goto((SITE / "index.html").as_uri())
    assert measure(tab, "getComputedStyle(all('.wy-nav-content')[0]).filter").startswith("invert(")
    tab.close()


def test_the_sidebar_has_groups(browser: Browser) -> None:
    tab = browser.new_page()
    tab.goto((SITE / "index.html").as_uri())
    groups = measure(tab, "all('.wy-menu-vertical p.caption').map((caption) => caption.textContent)")
    assert {"Start", "Credentials", "Calling APIs", "Operating", "Modules", "Roles"} <= set(groups)
    # The titles of pages would be longer.
    assert measure(tab, "all('.wy-menu-vertical a').filter((link) => link.offsetHeight > 40).length") == 0
    tab.close()


class Links(html.parser.HTMLParser):
    """The links of a page, and the places in it that a link can name."""

    def __init__(self, path: pathlib.Path) -> None:
        super().__init__()
        self.links: list[str] = []
        self.places: set[str] = set()
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if given.get("id"):
            self.places.add(str(given["id"]))
        if tag == "a" and given.get("href"):
            self.links.append(str(given["href"]))


@functools.cache
def links_of(path: pathlib.Path) -> Links:
    return Links(path)


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(SITE)))
def test_every_local_link_leads_somewhere(path: pathlib.Path) -> None:
    for link in links_of(path).links:
        parts = urllib.parse.urlsplit(link)
        if parts.scheme or parts.netloc:
            continue
        target = (path.parent / urllib.parse.unquote(parts.path)).resolve() if parts.path else path
        assert target.exists(), link
        if parts.fragment and target.suffix == ".html":
            assert urllib.parse.unquote(parts.fragment) in links_of(target).places, link
