"""Tiles: a large plane is processed in pieces, with the same result as in one piece.

The output of a network at a pixel depends on the input within its receptive field. So each tile is
processed together with its surroundings of this size, which are cut off afterwards: the result has
no seams.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

# Side of a tile with its surroundings, in HR pixels. Larger tiles waste less work on surroundings,
# but take more memory.
SIDE = 2560


@dataclass(frozen=True)
class Tile:
    """A rectangular piece of a plane, in pixels of the plane."""

    top: int
    left: int
    bottom: int
    right: int

    def widened(self, radius: int, height: int, width: int) -> "Tile":
        """The tile with its surroundings, limited to the plane."""
        return Tile(
            max(0, self.top - radius),
            max(0, self.left - radius),
            min(height, self.bottom + radius),
            min(width, self.right + radius),
        )

    def bands(self, rows: int) -> Iterator["Tile"]:
        """The tile cut into pieces of its full width and at most `rows` rows."""
        for top in range(self.top, self.bottom, rows):
            yield Tile(top, self.left, min(top + rows, self.bottom), self.right)

    def within(self, other: "Tile", scale: int) -> tuple[slice, slice]:
        """The rows and columns of this tile in the other tile, enlarged `scale` times."""
        return (
            slice((self.top - other.top) * scale, (self.bottom - other.top) * scale),
            slice((self.left - other.left) * scale, (self.right - other.left) * scale),
        )

    def place(self, scale: int = 1) -> tuple[slice, slice]:
        """The rows and columns of this tile in the plane, enlarged `scale` times."""
        return self.within(Tile(0, 0, 0, 0), scale)


def tiles(height: int, width: int, side: int, radius: int) -> Iterator[Tile]:
    """Tiles of about equal size that cover a plane, row by row.

    A tile widened by `radius` is at most side x side. But the tile itself is at least a quarter of
    the side, also for a network with a very large receptive field.
    """
    rows, columns = _edges(height, side, radius), _edges(width, side, radius)
    for top, bottom in pairwise(rows):
        for left, right in pairwise(columns):
            yield Tile(top, left, bottom, right)


def _edges(length: int, side: int, radius: int) -> list[int]:
    own = side if length <= side else max(1, side // 4, side - 2 * radius)
    count = -(-length // own)
    return [length * i // count for i in range(count + 1)]
