"""Somebody at the report site, in Chromium: signed in by the form, or with a token that is there already."""

import base64
import contextlib
import json
import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

from tests.dashboards.preview.viewer import Viewer

HELD = "penstock.session"
SIGNED_IN = "sessionStorage.getItem('%s') || sessionStorage.setItem('%s', %s)"


class Visitor(Viewer):
    """A page of the site. Its addresses begin with `#/`."""

    def open(self, path: str) -> "Visitor":
        """Open a page of the site as if by its address, and wait for what it shows."""
        self.page.goto("about:blank")
        super().open(path)
        return self

    def sign_in(self, name: str, password: str) -> None:
        """By the managed login, from the page that says so."""
        self.page.get_by_role("button", name="Sign in").click()
        self.page.wait_for_selector("#username")
        self.page.fill("#username", name)
        self.page.fill("#password", password)
        self.page.get_by_role("button", name="Sign in").click()
        self.until(lambda: self.page.locator("#who:not([hidden])").count())

    def until(self, found: Callable[[], Any], seconds: float = 60) -> Any:
        """What `found` gives once it gives something."""
        deadline = time.monotonic() + seconds
        while not (value := found()):
            assert time.monotonic() < deadline, (self.errors, self.page.locator("body").inner_text())
            time.sleep(0.02)
        return value

    def reads(self, selector: str) -> str:
        """The text of an element."""
        return str(self.page.locator(selector).first.inner_text())


@contextlib.contextmanager
def at_site(
    chromium: Any, url: str, token: str = "", *, width: int = 1440, scheme: str = "light"
) -> Iterator[Visitor]:
    """A browser's page of its own; with an access token, as somebody who has signed in."""
    context = chromium.new_context(
        viewport={"width": width, "height": 900}, color_scheme=scheme, accept_downloads=True
    )
    if token:
        held = json.dumps(json.dumps(session(token)))
        origin = json.dumps(f"{urlsplit(url).scheme}://{urlsplit(url).netloc}")
        script = SIGNED_IN % (HELD, HELD, held)
        # The site's own pages alone have a storage that takes it.
        context.add_init_script(f"if (location.origin === {origin}) {{ {script} }}")
    yield Visitor(context.new_page(), url.rstrip("/"))
    context.close()


def session(token: str) -> dict[str, Any]:
    """What the page keeps of a token."""
    claims = claims_of(token)
    groups = claims.get("cognito:groups", [])
    return {"token": token, "until": claims["exp"] * 1000, "name": claims["username"], "groups": groups}


def claims_of(token: str) -> dict[str, Any]:
    """The claims of a token, unchecked."""
    part = token.split(".")[1]
    return dict(json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))))
