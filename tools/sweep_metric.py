"""The metric of a sweep: its name, the file with its value, the stage that makes the file."""

from srstudy.common.params import read
from srstudy.scoring.metrics import METRICS, first_metric
from srstudy.scoring.settings import SummarySettings
from srstudy.study.settings import StudySettings

WORDS = (
    f"METRIC.TEST_SET.xSCALE.METHOD with {' or '.join(METRICS)}, such as "
    f"{first_metric()}.set5.x2.plain, or validation.xSCALE.SETTING.psnr"
)


def default() -> str:
    """The first metric of the regularized network on the first test set, at the first scale."""
    study = read(SummarySettings)
    return f"{first_metric()}.{study.test_sets[0]}.x{study.scales[0]}.regularized"


def file_of(metric: str) -> str:
    """The JSON file with the value of the metric."""
    kind, scale, setting, *_ = [*metric.split("."), "", ""]
    if kind == "validation":
        return f"metrics/validation/{scale}-{setting}.json"
    return "metrics/summary.json"


def stage_of(metric: str) -> str:
    """The stage that makes the file."""
    kind, scale, setting, *_ = [*metric.split("."), "", ""]
    return f"train-{setting}@{scale[1:]}" if kind == "validation" else "summarize"


def faults(metric: str, study: StudySettings) -> list[str]:
    """A line for a metric that a study does not make; [] if it makes it."""
    scales = {f"x{scale}" for scale in study.scales}
    match metric.split("."):
        case ["validation", scale, "plain" | "regularized", "psnr"] if scale in scales:
            return []
        case [kind, test_set, scale, method] if kind in METRICS and method:
            if test_set in study.test_sets and scale in scales:
                return []
    made = f"scales {study.scales} and test_sets {study.test_sets}"
    return [f"metric: found {metric!r}; allowed with {made}: {WORDS}"]
