"""A real headless Chromium for tests, driven over its DevTools protocol."""

import base64
import json
import re
import shutil
import subprocess
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import websocket

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
MISSING = (
    "These tests open pages in a real browser and there is none: install it with "
    "`apt-get install -y --no-install-recommends chromium fonts-dejavu-core`."
)
PATIENCE = 60.0  # seconds until the browser must have answered
KEYS = {"Enter": 13, "Escape": 27, "Tab": 9, "ArrowDown": 40, "ArrowUp": 38, "ArrowLeft": 37,
        "ArrowRight": 39}  # fmt: skip


class Page:
    """One tab: what it showed, asked for and complained of."""

    def __init__(self, address: str) -> None:
        self._socket = websocket.create_connection(
            address, timeout=PATIENCE, suppress_origin=True, enable_multithread=False
        )
        self._number = 0
        self.events: list[dict[str, Any]] = []
        for domain in ("Page", "Network", "Runtime", "Log"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Sends one command and returns its result; what happens meanwhile is kept in `events`."""
        self._number += 1
        self._socket.send(json.dumps({"id": self._number, "method": method, "params": parameters}))
        while True:
            message = json.loads(self._socket.recv())
            if message.get("id") == self._number:
                assert "error" not in message, message
                return message["result"]
            self.events.append(message)

    def look(
        self, width: int = 1280, height: int = 900, dark: bool = False, media: str = "screen"
    ) -> None:
        """Sets the size in CSS pixels (a phone below 600), the colour scheme, screen or print."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height,
                  deviceScaleFactor=1, mobile=width < 600)  # fmt: skip
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", media=media, features=[scheme])

    def open(self, url: str, ready: str) -> None:
        """Opens an address, forgets what was before, and waits as `wait_for` does."""
        self.events.clear()
        self.call("Page.navigate", url=url)
        self.wait_for(ready)

    def wait_for(self, ready: str) -> None:
        """Waits until a JavaScript expression is true, looking at every frame of the page."""
        self.js(
            "new Promise(done => { const look = () => { try { if ("
            + ready
            + ") return done(true) }"
            " catch (e) {} requestAnimationFrame(look) }; look() })"
        )

    def type(self, text: str) -> None:
        """Types into what has the focus, letter by letter."""
        for letter in text:
            self.call("Input.insertText", text=letter)

    def press(self, key: str) -> None:
        """Presses a key and lets go of it."""
        told = {"key": key, "windowsVirtualKeyCode": KEYS[key]}
        text = "\r" if key == "Enter" else ""
        self.call("Input.dispatchKeyEvent", type="keyDown", text=text, **told)
        self.call("Input.dispatchKeyEvent", type="keyUp", **told)

    def click(self, selector: str) -> None:
        """Clicks the middle of an element, as a mouse does."""
        place = f"document.querySelector({json.dumps(selector)})"
        self.js(f"{place}.scrollIntoView({{block: 'center'}})")
        x, y = self.js(
            f"(({{x, y, width, height}}) => [x + width / 2, y + height / 2])"
            f"({place}.getBoundingClientRect())"
        )
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def js(self, script: str) -> Any:
        """The value of a JavaScript expression, awaited if it is a promise."""
        found = self.call(
            "Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True
        )
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def requests(self) -> list[str]:
        """Every address that the page asked for, inline data apart."""
        urls = [
            event["params"]["request"]["url"]
            for event in self.events
            if event["method"] == "Network.requestWillBeSent"
        ]
        return [url for url in urls if not url.startswith("data:")]

    def complaints(self) -> list[str]:
        """Console errors and warnings, uncaught exceptions and what the browser itself logged."""
        kinds = {
            "Runtime.exceptionThrown": lambda p: str(p["exceptionDetails"]),
            "Log.entryAdded": lambda p: p["entry"]["text"],
            "Runtime.consoleAPICalled": lambda p: (
                str(p["args"]) if p["type"] in ("error", "warning", "assert") else ""
            ),
        }
        found = [
            kinds[event["method"]](event["params"])
            for event in self.events
            if event["method"] in kinds
        ]
        return [text for text in found if text]

    def screenshot(self, path: Path, whole: bool = True) -> None:
        """Writes a PNG of the page, from its top to its end if `whole`."""
        options: dict[str, Any] = {"format": "png"}
        if whole:
            size = self.call("Page.getLayoutMetrics")["cssContentSize"]
            clip = {"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1}
            options |= {"captureBeyondViewport": True, "clip": clip}
        path.write_bytes(base64.b64decode(self.call("Page.captureScreenshot", **options)["data"]))


def find() -> str:
    """The browser's path; fails with a sentence where there is none."""
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    assert found, MISSING
    return found


@contextmanager
def browser() -> Iterator[Page]:
    """Starts a browser with a profile of its own, and ends it."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        command = [
            find(), "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
            "--remote-debugging-port=0", f"--user-data-dir={profile}", "--no-first-run",
            "--disable-extensions", "--disable-background-networking", "about:blank",
        ]  # fmt: skip
        process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )
        try:
            yield Page(_address(process))
        finally:
            process.terminate()
            process.communicate(timeout=PATIENCE)


def _address(process: subprocess.Popen[str]) -> str:
    """The tab's address, which follows from the one that the browser prints when it is ready."""
    assert process.stderr is not None
    for line in process.stderr:
        found = re.search(r"DevTools listening on ws://([^/]+)/", line)
        if found:
            with urllib.request.urlopen(f"http://{found.group(1)}/json") as answer:
                tabs = json.load(answer)
            return next(tab["webSocketDebuggerUrl"] for tab in tabs if tab["type"] == "page")
    raise AssertionError(f"the browser ended with status {process.wait()}")
