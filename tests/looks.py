"""What tests ask of the pages that Greenlight writes, as JavaScript."""

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
