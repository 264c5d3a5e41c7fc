"""Checks the file of weights that `start_from` names."""

import os
from pathlib import Path

from srstudy.common.errors import InputError
from srstudy.common.params import shown
from srstudy.networks.shared.described import described, misfit
from srstudy.study.absence import absence
from srstudy.training.settings import PretrainSettings

MADE_HERE = Path("models")


def start_fault(settings: PretrainSettings, degradation: str) -> str | None:
    """The error line unless it is a file of the chosen network's weights that no stage writes."""
    if settings.start is None:
        return None
    found = f"start_from: found {shown(settings.start_from)}"
    # DVC calls this a cycle. Through a link, it would not see that each run changes its own start.
    ways = (Path(os.path.abspath(settings.start)), Path(os.path.realpath(settings.start)))  # noqa: PTH100
    if any(MADE_HERE.absolute() in way.parents for way in ways):
        return f"{found}, but this study writes {MADE_HERE}/; allowed: a copy elsewhere"
    if not os.path.isfile(settings.start):  # noqa: PTH113 (Path.is_file fails on a name too long)
        return f"{found}{absence(settings.start_from, 'a file')}"
    try:
        entries = described(settings.start)
    except InputError as error:
        return f"start_from: {error}"
    fault = misfit(entries, settings.network, settings.size, degradation)
    return f"start_from: {settings.start}: {fault}" if fault else None
