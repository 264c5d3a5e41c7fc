"""Tiles: a large plane worked on piece by piece, as if it were in one piece.

A network's output at a pixel depends on the input within its receptive field. Where each tile is
worked on with so much of its surroundings, and these are cut off again, nothing tells that there
were tiles.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

# HR pixels on a side of a tile with its surroundings. Larger tiles waste less on what is cut off
# again and take more memory.
SIDE = 2560


@dataclass(frozen=True)
class Tile:
    """One axis-aligned piece of a plane, in pixels of the plane."""

    top: int
    left: int
    bottom: int
    right: int

    def widened(self, radius: int, height: int, width: int) -> "Tile":
        """The tile with its surroundings, as far as the plane goes."""
        return Tile(
            max(0, self.top - radius),
            max(0, self.left - radius),
            min(height, self.bottom + radius),
            min(width, self.right + radius),
        )

    def bands(self, rows: int) -> Iterator["Tile"]:
        """The tile cut into pieces of at most so many rows, as wide as it is."""
        for top in range(self.top, self.bottom, rows):
            yield Tile(top, self.left, min(top + rows, self.bottom), self.right)

    def within(self, other: "Tile", scale: int) -> tuple[slice, slice]:
        """Where this tile lies in what `scale` times enlarged the other one."""
        return (
            slice((self.top - other.top) * scale, (self.bottom - other.top) * scale),
            slice((self.left - other.left) * scale, (self.right - other.left) * scale),
        )

    def place(self, scale: int = 1) -> tuple[slice, slice]:
        """The tile's rows and columns in the plane enlarged `scale` times."""
        return self.within(Tile(0, 0, 0, 0), scale)


def tiles(height: int, width: int, side: int, radius: int) -> Iterator[Tile]:
    """Tiles of about equal size that cover a plane, row by row.

    A tile widened by `radius` is at most side x side; where that would leave less than a quarter of
    the side to the tile itself, as for a network that looks very far, the tile has that quarter.
    """
    rows, columns = _edges(height, side, radius), _edges(width, side, radius)
    for top, bottom in pairwise(rows):
        for left, right in pairwise(columns):
            yield Tile(top, left, bottom, right)


def _edges(length: int, side: int, radius: int) -> list[int]:
    own = side if length <= side else max(1, side // 4, side - 2 * radius)
    count = -(-length // own)
    return [length * i // count for i in range(count + 1)]
