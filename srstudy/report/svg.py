"""SVG elements as text."""

from collections.abc import Sequence
from html import escape


def element(tag: str, *children: str, **attributes: object) -> str:
    """An element; children: SVG text. Write `class_` for `class`."""
    given = "".join(
        f' {name.rstrip("_").replace("_", "-")}="{escape(str(value))}"'
        for name, value in attributes.items()
    )
    return f"<{tag}{given}>{''.join(children)}</{tag}>" if children else f"<{tag}{given}/>"


def text(words: str, x: float, y: float, **attributes: object) -> str:
    """A line of text."""
    return element("text", escape(words), x=round(x, 1), y=round(y, 1), **attributes)


def points(pairs: Sequence[tuple[float, float]]) -> str:
    """Coordinates in the form of polylines and polygons."""
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in pairs)
