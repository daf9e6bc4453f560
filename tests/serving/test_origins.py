"""Pages of other origins, and the page behind a proxy, in a real browser."""

import http.server
import threading
from contextlib import contextmanager

import httpx
import pytest

from tests.browser import browser
from tests.serving.test_page import SHOWN

PREDICT = {
    "instances": [{"user_id": "3", "history_movie_id": [], "history_rating": [], "k": 2}]
}  # fmt: skip


@pytest.fixture(scope="module")
def tab():
    with browser() as opened:
        yield opened


@contextmanager
def _listening(handler):
    """A small HTTP server of the test's own; yields its address."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, args=[0.01], daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()


class Elsewhere(http.server.BaseHTTPRequestHandler):
    """A page of somebody else's."""

    def do_GET(self):
        body = b"<title>elsewhere</title>"
        self.send_response(200)
        self.send_header("content-type", "text/html")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def origin():
    with _listening(Elsewhere) as address:
        yield address


def _fetch(tab, url, method="POST", body=None, **headers):
    """What a page's fetch gives: status, content and a header; or the error's name."""
    import json

    told = {"method": method, "headers": headers}
    if body is not None:
        told["body"] = json.dumps(body)
        headers["content-type"] = "application/json"
    return tab.js(
        f"fetch({json.dumps(url)}, {json.dumps(told)})"
        ".then(async r => [r.status, await r.text(), r.headers.get('www-authenticate')])"
        ".catch(error => [error.name, null, null])"
    )


def test_a_page_of_an_origin_that_is_named_may_ask_all(start, light, tab, origin):
    with start(light, "--cors", f"{origin}/") as server:
        tab.open(origin, "document.title === 'elsewhere'")
        for path, body in (
            ("/recommend", {"user": "3", "k": 2}),
            ("/v1/models/greenlight:predict", PREDICT),
        ):
            status, content, _ = _fetch(tab, server.url + path, body=body)
            assert status == 200 and "movie_id" in content
        assert _fetch(tab, f"{server.url}/about", "GET")[0] == 200
        assert _fetch(tab, f"{server.url}/about", "HEAD")[0] == 200
        # A mistake can be read as well.
        status, content, _ = _fetch(tab, f"{server.url}/recommend", body={"k": 0})
        assert status == 400 and "error" in content


def test_a_page_of_any_origin_needs_the_token_all_the_same(start, light, tab, origin):
    with start(light, "--cors", "*", GREENLIGHT_TOKEN="sesame") as server:
        tab.open(origin, "document.title === 'elsewhere'")
        for path, body in (
            ("/recommend", {"user": "3"}),
            ("/v1/models/greenlight:predict", PREDICT),
        ):
            url = server.url + path
            assert _fetch(tab, url, body=body, authorization="Bearer sesame")[0] == 200
            status, _, challenge = _fetch(tab, url, body=body, authorization="Bearer wrong")
            assert (status, challenge) == (401, "Bearer")


def test_a_page_of_another_origin_may_not(server, start, light, tab, origin):
    tab.open(origin, "document.title === 'elsewhere'")
    assert _fetch(tab, f"{server.url}/recommend", body={"user": "3"})[0] == "TypeError"
    with start(light, "--cors", "https://other.example") as other:
        assert _fetch(tab, f"{other.url}/recommend", body={"user": "3"})[0] == "TypeError"


def _proxy(target, prefix, strips):
    """A reverse proxy that shows a server below a path, and passes the path on or takes it off."""

    client = httpx.Client(base_url=target, timeout=60)

    class Proxy(http.server.BaseHTTPRequestHandler):
        def _pass(self):
            if not self.path.startswith(prefix):
                self.send_error(404)
                return
            path = self.path.removeprefix(prefix) if strips else self.path
            if not path.startswith("/"):
                path = f"/{path}"
            length = int(self.headers.get("content-length", 0))
            found = client.request(
                self.command, path, content=self.rfile.read(length),
                headers={"content-type": self.headers.get("content-type", "")},
            )  # fmt: skip
            self.send_response(found.status_code)
            for name in ("content-type", "content-security-policy"):
                if name in found.headers:
                    self.send_header(name, found.headers[name])
            self.send_header("content-length", str(len(found.content)))
            self.end_headers()
            self.wfile.write(found.content)

        def do_GET(self):
            self._pass()

        def do_POST(self):
            self._pass()

        def log_message(self, *_):
            pass

    return _listening(Proxy)


def _journey(tab, address, at):
    """The page recommends, finds, explains and links to its description, all below the path."""
    tab.look(1200)
    tab.open(at, f"{SHOWN}.length === 10")
    tab.js("document.querySelector('[data-person=\"0\"] input').focus()")
    tab.type("toy story")
    tab.wait_for("document.querySelector('.options:not([hidden]) [role=option]')")
    tab.press("Enter")
    source = "document.querySelector('#source').textContent"
    tab.wait_for(f"/^from the (movies|songs) you named$/.test({source})")
    tab.wait_for("document.querySelector('.why')")
    tab.click(".why")
    tab.wait_for("document.querySelector('.reasons')")
    _asked_only(tab, address)
    tab.open(tab.js("document.querySelector('footer a').href"),
             "document.querySelector('.operation')")  # fmt: skip
    links = tab.js("[...document.querySelectorAll('main.docs p a')].map(link => link.href)")
    assert links == [f"{address}/openapi.json", f"{address}/"]
    _asked_only(tab, address)


def _asked_only(tab, address):
    assert tab.complaints() == []
    assert tab.requests() and all(url.startswith(address) for url in tab.requests())


def test_the_page_works_where_a_proxy_takes_the_path_off(server, tab):
    with _proxy(server.url, "/movies", strips=True) as address:
        _journey(tab, f"{address}/movies", f"{address}/movies/")


def test_the_page_works_where_a_proxy_leaves_the_path_on(start, light, tab):
    with start(light, "--root-path", "/green/light") as server:
        for strips in (False, True):
            with _proxy(server.url, "/green/light", strips) as address:
                _journey(tab, f"{address}/green/light", f"{address}/green/light")
