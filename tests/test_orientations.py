import numpy as np
import pytest

from srstudy.images.orientations import ORIENTATIONS, turned, turned_back


def test_the_eight_orientations_of_a_square_differ() -> None:
    square = np.arange(9, dtype=np.uint8).reshape(3, 3)
    assert len({turned(square, o).tobytes() for o in range(ORIENTATIONS)}) == ORIENTATIONS == 8
    np.testing.assert_array_equal(turned(square, 0), square)
    np.testing.assert_array_equal(turned(square, 4), square[:, ::-1])


@pytest.mark.parametrize("orientation", range(ORIENTATIONS))
def test_turned_back_undoes_turned_also_for_non_square_planes(orientation: int) -> None:
    plane = np.arange(10).reshape(2, 5)
    np.testing.assert_array_equal(turned_back(turned(plane, orientation), orientation), plane)
