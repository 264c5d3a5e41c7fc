import numpy as np
import pytest

from srstudy.upscale.tiles import Tile, tiles


@pytest.mark.parametrize("radius", [0, 2, 50])
@pytest.mark.parametrize(
    ("height", "width", "side"), [(1, 1, 8), (17, 30, 8), (8, 16, 8), (9, 3, 1), (70, 70, 32)]
)
def test_tiles_cover_every_pixel_once_and_are_not_too_large(
    height: int, width: int, side: int, radius: int
) -> None:
    covered = np.zeros((height, width), int)
    for tile in tiles(height, width, side, radius):
        covered[tile.place()] += 1
        seen = tile.widened(radius, height, width)
        for first, last, own in (
            (seen.top, seen.bottom, tile.bottom - tile.top),
            (seen.left, seen.right, tile.right - tile.left),
        ):
            assert last - first <= side or own <= max(1, side // 4)
    assert (covered == 1).all()


def test_small_plane_is_one_tile() -> None:
    assert len(list(tiles(32, 32, 32, 10))) == 1
    assert len(list(tiles(32, 33, 32, 10))) == 3


def test_tiles_have_about_equal_size() -> None:
    widths = {tile.right - tile.left for tile in tiles(1, 101, 50, 0)}
    assert widths <= {33, 34}  # not 50, 50 and 1


def test_surroundings_are_limited_to_the_plane() -> None:
    tile = Tile(10, 0, 20, 30)
    assert tile.widened(16, 25, 100) == Tile(0, 0, 25, 46)


def test_slices_of_a_tile_in_its_enlarged_surroundings_are_correct() -> None:
    plane = np.arange(40 * 60).reshape(40, 60)
    tile = Tile(10, 20, 20, 30)
    around = tile.widened(4, 40, 60)
    enlarged = plane[around.place()].repeat(2, axis=0).repeat(2, axis=1)
    expected = plane.repeat(2, axis=0).repeat(2, axis=1)[tile.place(2)]
    np.testing.assert_array_equal(enlarged[tile.within(around, 2)], expected)
