"""The metric of a sweep: how it is named, which file has it, which stage makes that."""

from srstudy.common.params import read
from srstudy.scoring.metrics import METRICS, first_metric
from srstudy.scoring.settings import SummarySettings
from srstudy.study.settings import StudySettings

WORDS = (
    f"METRIC.TEST_SET.xSCALE.METHOD with {' or '.join(METRICS)}, as {first_metric()}.set5.x2.plain,"
    " or validation.xSCALE.SETTING.psnr"
)


def default() -> str:
    """The regularized network's first metric on the first test set, at the first scale."""
    study = read(SummarySettings)
    return f"{first_metric()}.{study.test_sets[0]}.x{study.scales[0]}.regularized"


def file_of(metric: str) -> str:
    """The JSON file that has the metric, by its dotted key."""
    kind, scale, setting, *_ = [*metric.split("."), "", ""]
    if kind == "validation":
        return f"metrics/validation/{scale}-{setting}.json"
    return "metrics/summary.json"


def stage_of(metric: str) -> str:
    """The stage that makes the file."""
    kind, scale, setting, *_ = [*metric.split("."), "", ""]
    return f"train-{setting}@{scale[1:]}" if kind == "validation" else "summarize"


def faults(metric: str, study: StudySettings) -> list[str]:
    """The line for a metric that a study does not make; none where it does."""
    scales = {f"x{scale}" for scale in study.scales}
    match metric.split("."):
        case ["validation", scale, "plain" | "regularized", "psnr"] if scale in scales:
            return []
        case [kind, test_set, scale, method] if kind in METRICS and method:
            if test_set in study.test_sets and scale in scales:
                return []
    made = f"scales {study.scales} and test_sets {study.test_sets}"
    return [f"metric: found {metric!r}; allowed with {made}: {WORDS}"]
