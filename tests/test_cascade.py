import pytest

from srstudy.scoring.evaluation import METHODS, methods_at
from srstudy.scoring.settings import MethodSettings, cascade_steps


@pytest.mark.parametrize(
    ("base", "scale", "steps"),
    [
        (2, 4, 2),
        (2, 8, 3),
        (2, 2, 0),  # one step is the network itself
        (2, 3, 0),  # no power of 2
        (3, 4, 0),
        (4, 4, 0),
        (4, 8, 0),  # no power of 4
    ],
)
def test_a_scale_is_reached_in_as_many_steps_as_its_power(
    base: int, scale: int, steps: int
) -> None:
    assert cascade_steps(base, scale) == steps


def test_a_study_scores_the_methods_that_it_asks_for() -> None:
    settings = MethodSettings(self_ensemble=["regularized"], cascade_scales=[4])
    assert methods_at(settings, 2) == ["bicubic", "plain", "regularized", "regularized+"]
    assert methods_at(settings, 4) == [method for method in METHODS if method != "plain+"]
