"""Where the names of a chart's dots stand: inside it, and as far as can be not over one another."""

from collections.abc import Sequence
from typing import NamedTuple

# Of text of 12 pixels: a small and a capital letter's width; the height above and below its line.
SMALL, CAPITAL, ABOVE, BELOW = 6.5, 9, 10, 3
GAP, RADIUS = 7, 4  # from a dot to its name, and of a dot with some air
SHIFTS = (0, -12, 12, -24, 24, -36, 36)  # tried one after the other, in pixels


class Box(NamedTuple):
    """A rectangle, in pixels from the picture's upper left corner."""

    left: float
    top: float
    right: float
    bottom: float

    def common(self, other: "Box") -> float:
        """The area that both have."""
        width = min(self.right, other.right) - max(self.left, other.left)
        height = min(self.bottom, other.bottom) - max(self.top, other.top)
        return max(0.0, width) * max(0.0, height)


class Place(NamedTuple):
    """Of a name: where its line begins, or ends where it stands left of its dot."""

    x: float
    y: float
    anchor: str


def box_of(name: str, place: Place) -> Box:
    """About the room that a name takes."""
    width = sum(CAPITAL if letter.isupper() else SMALL for letter in name)
    left = place.x - width if place.anchor == "end" else place.x
    return Box(left, place.y - ABOVE, left + width, place.y + BELOW)


def places(dots: Sequence[tuple[float, float]], names: Sequence[str], inside: Box) -> list[Place]:
    """A place for each dot's name: right or left of it, at its height or near it."""
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
