"""Places the names of a chart's dots: inside the chart and, if possible, without overlap."""

from collections.abc import Sequence
from typing import NamedTuple

# For 12-pixel text: the width of a small and of a capital letter; heights above and below the line.
SMALL, CAPITAL, ABOVE, BELOW = 6.5, 9, 10, 3
GAP, RADIUS = 7, 4  # between a dot and its name; of a dot with some space around it
SHIFTS = (0, -12, 12, -24, 24, -36, 36)  # vertical shifts to try, in pixels


class Box(NamedTuple):
    """A rectangle, in pixels from the picture's upper left corner."""

    left: float
    top: float
    right: float
    bottom: float

    def common(self, other: "Box") -> float:
        """The area of the overlap."""
        width = min(self.right, other.right) - max(self.left, other.left)
        height = min(self.bottom, other.bottom) - max(self.top, other.top)
        return max(0.0, width) * max(0.0, height)


class Place(NamedTuple):
    """The place of a name: where its text begins, or where it ends if it is left of its dot."""

    x: float
    y: float
    anchor: str


def box_of(name: str, place: Place) -> Box:
    """The approximate box of a name."""
    width = sum(CAPITAL if letter.isupper() else SMALL for letter in name)
    left = place.x - width if place.anchor == "end" else place.x
    return Box(left, place.y - ABOVE, left + width, place.y + BELOW)


def places(dots: Sequence[tuple[float, float]], names: Sequence[str], inside: Box) -> list[Place]:
    """A place for each dot's name: right or left of the dot, at its height or close to it."""
    taken = [Box(x - RADIUS, y - RADIUS, x + RADIUS, y + RADIUS) for x, y in dots]
    found = []
    for (x, y), name in zip(dots, names, strict=True):
        tried = [
            Place(*where)
            for shift in SHIFTS
            for where in ((x + GAP, y + 4 + shift, "start"), (x - GAP, y + 4 + shift, "end"))
        ]

        def cost(place: Place, name: str = name) -> float:
            box = box_of(name, place)
            area = (box.right - box.left) * (box.bottom - box.top)
            outside = area - box.common(inside)
            return round(1000 * outside + sum(box.common(other) for other in taken), 3)

        found.append(min(tried, key=cost))
        taken.append(box_of(name, found[-1]))
    return found
