"""The pinned versions: what an extra adds changes nothing of what is there without it."""

import re
from pathlib import Path

import pytest

from tests.imports import ROOT

EXTRAS = {"cluster": "distributed", "gpu": "nvidia-cudnn-cu12"}
PIN = re.compile(r"^([a-z0-9._-]+)(?:\[[a-z,-]+\])?==([^ ]+)(?: ; ([^\\]+?))? \\$", re.MULTILINE)


def _pins(path: Path) -> dict[tuple[str, str], str]:
    """The version of each package, by its name and the condition under which it is taken."""
    return {(name, when): version for name, version, when in PIN.findall(path.read_text("utf-8"))}


@pytest.mark.parametrize("extra", EXTRAS)
def test_an_extra_keeps_the_versions_of_the_study_and_adds_its_own(extra: str) -> None:
    study, more = _pins(ROOT / "requirements.lock"), _pins(ROOT / f"requirements-{extra}.lock")
    assert EXTRAS[extra] in {name for name, _ in more}
    versions: dict[str, set[str]] = {}
    for (name, _), version in study.items():
        versions.setdefault(name, set()).add(version)
    for (name, _), version in more.items():
        assert version in versions.get(name, {version}), name


@pytest.mark.parametrize("name", ["", *(f"-{extra}" for extra in EXTRAS)])
def test_every_pin_has_its_hashes_and_no_registry_is_named(name: str) -> None:
    text = (ROOT / f"requirements{name}.lock").read_text("utf-8")
    assert "://" not in text and "--index" not in text and "--find-links" not in text
    entries = re.split(r"^(?=[a-z0-9])", text, flags=re.MULTILINE)[1:]
    assert len(entries) == len(PIN.findall(text)) > 10
    assert all("--hash=sha256:" in entry for entry in entries)
