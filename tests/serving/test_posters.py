"""Pictures that the source names: shown where the server is told to, and nowhere else."""

from pathlib import Path

import httpx
import pytest

from schemas.errors import UserError
from serving.posters import NONE, Posters, checked
from tests.browser import browser

SVG = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 2 3"><path d="M0 0h2v3H0z"/></svg>'
FILMS = 60
TOKEN = {"GREENLIGHT_TOKEN": "open-sesame-12345"}
SHOWN = "[...document.querySelectorAll('#movies img')].filter(one => one.naturalWidth).length"
LISTED = "document.querySelectorAll('#movies .place').length"


@pytest.mark.parametrize(
    ("posters", "named", "address"),
    [
        (NONE, "https://a.example/1.jpg", None),
        (NONE, "1.jpg", None),
        (Posters(elsewhere=True), "https://a.example/1.jpg", "https://a.example/1.jpg"),
        (Posters(elsewhere=True), "http://a.example/1.jpg", None),
        (Posters(elsewhere=True), "javascript://x", None),
        (Posters(elsewhere=True), "1.jpg", None),
        (Posters(folder=Path("x")), "https://a.example/1.jpg", None),
        (Posters(folder=Path("x")), "a film/1?.jpg", "posters/a%20film/1%3F.jpg"),
        (Posters(folder=Path("x")), "javascript:alert(1)", "posters/javascript%3Aalert%281%29"),
        (Posters(folder=Path("x")), "", None),
    ],
)
def test_addresses(posters: Posters, named: str, address: str | None) -> None:
    assert posters.address(named) == address


def test_a_folder_that_is_none_is_told(tmp_path: Path) -> None:
    assert checked(False, None) == NONE
    with pytest.raises(UserError, match=r"--poster-folder .*there is no folder\."):
        checked(False, tmp_path / "there")


def movies(url: str) -> list[dict[str, str]]:
    found: list[dict[str, str]] = httpx.post(f"{url}/recommend", json={"k": FILMS}).json()["movies"]
    return found


def test_none_are_shown_unless_it_is_told(light, start) -> None:
    with start(light) as server:
        assert not any("poster" in movie for movie in movies(server.url))
        policy = httpx.get(server.url).headers["content-security-policy"]
        assert "img-src" not in policy
        assert httpx.get(f"{server.url}/posters/film%201.svg").status_code == 404


def test_the_page_shows_files_of_a_folder_without_a_token(light, start, tmp_path: Path) -> None:
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    for film in range(1, FILMS - 2, 2):
        (pictures / f"film {film}.svg").write_text(SVG)
    (tmp_path / "secret").write_text("of the machine")
    with start(light, "--poster-folder", str(pictures)) as server, browser() as page:
        named = [movie["poster"] for movie in movies(server.url) if "poster" in movie]
        assert len(named) == FILMS // 2 and all(one.startswith("posters/film%20") for one in named)
        assert httpx.get(f"{server.url}/posters/%2e%2e/secret").status_code == 404
        assert "img-src" not in httpx.get(server.url).headers["content-security-policy"]
        page.open(f"{server.url}/", f"{LISTED} > 0")
        page.wait_for(f"{SHOWN} > 0")
    with start(light, "--poster-folder", str(pictures), **TOKEN) as closed:
        assert httpx.get(f"{closed.url}/posters/film%201.svg").text == SVG
        assert httpx.post(f"{closed.url}/recommend", json={}).status_code == 401


def test_addresses_elsewhere_are_given_and_allowed(light, start) -> None:
    with start(light, "--posters") as server:
        named = {movie["poster"] for movie in movies(server.url) if "poster" in movie}
        assert len(named) == FILMS // 2
        assert all(one.startswith("https://pictures.example/") for one in named)
        policy = httpx.get(server.url).headers["content-security-policy"]
        assert policy.endswith("; img-src 'self' https:") and "default-src 'self'" in policy
