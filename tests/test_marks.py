from itertools import combinations

import pytest

from srstudy.report.marks import Box, box_of, places

INSIDE = Box(74, 30, 408, 254)
ROWS = {
    "apart": [(100.0, 50.0), (250.0, 150.0)],
    "two in one place": [(200.0, 100.0), (200.0, 100.0)],
    "a crowd": [(200.0, 100.0), (204.0, 101.0), (209.0, 99.0), (203.0, 106.0)],
    "in the corners": [(74.0, 30.0), (408.0, 254.0), (74.0, 254.0), (408.0, 30.0)],
}


@pytest.mark.parametrize("dots", ROWS.values(), ids=ROWS)
def test_names_are_beside_their_dots_inside_the_chart_without_overlap(
    dots: list[tuple[float, float]],
) -> None:
    names = ["progressive", "FSRCNN", "edsr", "VDSR"][: len(dots)]
    found = places(dots, names, INSIDE)
    boxes = [box_of(name, place) for name, place in zip(names, found, strict=True)]
    assert not any(one.common(other) for one, other in combinations(boxes, 2))
    for box, (x, y) in zip(boxes, dots, strict=True):
        assert INSIDE.left <= box.left and box.right <= INSIDE.right
        assert INSIDE.top <= box.top and box.bottom <= INSIDE.bottom
        assert min(abs(box.left - x), abs(box.right - x)) < 10
        assert box.top - 40 < y < box.bottom + 40


def test_single_name_is_to_the_right_of_its_dot_at_its_height() -> None:
    (place,) = places([(100.0, 50.0)], ["edsr"], INSIDE)
    assert place == (107, 54, "start")
