"""Pages that need no network: templates, styles, charts and the library that draws them."""

import json
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any

import jinja2
import vl_convert

from components.pages.charts import Spec
from schemas.errors import UserError

Content = Mapping[str, Any]
HOME = "components.pages"


def html(template: str, context: Content, specs: Mapping[str, Spec], package: str) -> str:
    """One page that needs no network: styles, charts and the library that draws them inside.

    Args:
      template: its file name.
      context: what the template reads.
      specs: the charts by the id of the element that they are drawn in.
      package: in whose folder `templates` the template is; what it builds on may be here.
    """
    return (
        environment(package)
        .get_template(template)
        .render(
            **context,
            style=_style(),
            vega=library(),
            specs=specs,
            charts=specs,
            charts_json=script_json(specs),
        )
    )


def script_json(content: Any) -> str:
    """JSON that can stand in a script element: nothing in it ends the element or begins another."""
    text = json.dumps(content, allow_nan=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


@cache
def library() -> str:
    """Vega, Vega-Lite and Vega-Embed in one script that loads nothing from elsewhere."""
    script: str = vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;")
    if "</script" in script:
        raise UserError("The chart library cannot stand in a page: install the locked version.")
    return script


@cache
def environment(package: str) -> jinja2.Environment:
    """A package's templates, then the shared ones; HTML is escaped, Markdown by the filter `md`."""
    loader = jinja2.ChoiceLoader(
        [jinja2.PackageLoader(name) for name in dict.fromkeys((package, HOME))]
    )
    made = jinja2.Environment(
        loader=loader,
        autoescape=lambda name: bool(name and ".html" in name),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["md"] = markdown
    return made


def _style() -> str:
    return resources.files(HOME).joinpath("templates/style.css").read_text("utf-8")


def markdown(text: str) -> str:
    """Text with what Markdown and HTML would read as marks made harmless, on one line."""
    for mark in "\\`*[]|<>":
        text = text.replace(mark, f"\\{mark}")
    return " ".join(text.split())
