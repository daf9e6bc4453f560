"""What tests ask of every page that Greenlight writes."""

from tests.browser import Page

DRAWN = "document.documentElement.dataset.drawn > 0"
# The texts with too little contrast to what is behind them, by the formula of WCAG 2.
CONTRAST = """
(() => {
  const parse = text => text.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map(v => v / 255)
    .map(v => v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0);
  const behind = node => {
    for (; node; node = node.parentElement) {
      const colour = parse(getComputedStyle(node).backgroundColor);
      if (colour.length < 4 || colour[3] > 0) return colour;
    }
    return [255, 255, 255];
  };
  const low = [];
  const texts = "p, li, td, th, h1, h2, h3, a, summary, span, small, dt, dd, figcaption, caption";
  for (const node of document.querySelectorAll(texts)) {
    if (!node.textContent.trim() || node.className === "skip") continue;
    const [a, b] = [light(parse(getComputedStyle(node).color)), light(behind(node))];
    const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
    if (ratio < 4.5) low.push([node.tagName, node.textContent.slice(0, 30), ratio]);
  }
  return low;
})()
"""


def check_fit(tab: Page, address: str, width: int, dark: bool) -> None:
    """The page is as wide as the screen, in the colours asked for, and can be read."""
    tab.look(width, dark=dark)
    tab.open(address, DRAWN)
    assert tab.js("document.documentElement.scrollWidth <= innerWidth")
    page_colour = tab.js("getComputedStyle(document.body).backgroundColor")
    assert (page_colour == "rgb(255, 255, 255)") != dark
    assert tab.js(CONTRAST) == []


def check_print(tab: Page, address: str) -> None:
    """On paper the page is light, whatever the screen, and has no links to its sections."""
    tab.look(800, dark=True, media="print")
    tab.open(address, DRAWN)
    assert tab.js("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert tab.js("getComputedStyle(document.querySelector('nav')).display") == "none"


def check_phone(tab: Page, address: str, height: int = 844) -> int:
    """On a phone no page is longer than ten screens, and what is folded opens in full width.

    Returns how much is folded.
    """
    tab.look(390, height)
    tab.open(address, DRAWN)
    assert tab.js("document.documentElement.scrollHeight <= 10 * innerHeight")
    folded = tab.js("document.querySelectorAll('details.fold:not([open])').length")
    assert folded == tab.js(
        "document.querySelectorAll('main > details.fold > summary > h2').length"
    )
    for place in range(folded):
        tab.js(f"document.querySelectorAll('details.fold > summary')[{place}].click()")
    tab.wait_for("[...document.querySelectorAll('.chart svg')].every(svg => svg.clientWidth > 200)")
    assert tab.js("document.documentElement.scrollWidth <= innerWidth")
    return int(folded)
