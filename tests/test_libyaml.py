"""DVC's commands read dvc.lock many times: with libyaml, not with the slower pure Python parser."""

from pathlib import Path

import pytest
from ruamel.yaml import YAML


def test_yaml_is_read_by_libyaml() -> None:
    assert YAML(typ="safe").Parser is not YAML(typ="safe", pure=True).Parser


@pytest.mark.parametrize("name", ["dvc.yaml", "dvc.lock", "params.yaml"])
def test_libyaml_reads_what_the_plain_parser_reads(name: str) -> None:
    text = Path(name).read_text("utf-8")
    assert YAML(typ="safe").load(text) == YAML(typ="safe", pure=True).load(text)
