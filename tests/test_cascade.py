import pytest

from srstudy.scoring.settings import CascadeSettings, cascade_steps


@pytest.mark.parametrize(
    ("base", "scales", "scale", "steps"),
    [
        (2, [4, 8], 4, 2),
        (2, [4, 8], 8, 3),
        (2, [4, 8], 2, 0),  # one step is the network itself
        (2, [4, 8], 3, 0),  # no power of 2
        (2, [8], 4, 0),  # not wanted
        (4, [8], 8, 0),  # no power of 4
        (2, [], 4, 0),
    ],
)
def test_a_scale_is_reached_in_as_many_steps_as_its_power(
    base: int, scales: list[int], scale: int, steps: int
) -> None:
    settings = CascadeSettings(cascade_from=base, cascade_scales=scales)
    assert cascade_steps(settings, scale) == steps
