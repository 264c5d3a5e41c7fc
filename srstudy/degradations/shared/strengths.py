"""Strengths of a degradation that are drawn at random for each training image, such as noise.

A file of the folder above may have strengths. Then it has STRENGTHS, the allowed range of each
strength in params.yaml as (least, most), and a function `degrade_at_random(hr, scale, random,
**strengths)`. The default of each strength is a number, or a pair: the range to draw from.
"""

import hashlib
import inspect
from collections.abc import Mapping
from types import ModuleType
from typing import Any

import numpy as np

from srstudy.common.choices import chosen

ROOM, FUNCTION = "degradations", "degrade_at_random"
ALWAYS = 3  # hr, scale and random: the arguments before the strengths


def draws(seed: int, *words: str) -> "np.random.Generator":  # in quotes: its import takes long
    """Random numbers that depend only on a seed and on words, such as the name of an image."""
    digest = hashlib.sha256("/".join(words).encode()).digest()
    return np.random.default_rng([seed, *np.frombuffer(digest, np.uint32)])


def strengths(name: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """The strengths of a degradation: the given values, else the defaults of its file; {} if none.

    given: its entry in params.yaml, already checked.
    """
    values = {**defaults(chosen(ROOM, name, ())), **given}
    return {key: tuple(v) if isinstance(v, list) else v for key, v in values.items()}


def defaults(file: ModuleType) -> dict[str, Any]:
    """The strengths of a degradation's file, with their defaults; {} if it has none."""
    if not hasattr(file, FUNCTION):
        return {}
    parameters = list(inspect.signature(getattr(file, FUNCTION)).parameters.values())
    return {parameter.name: parameter.default for parameter in parameters[ALWAYS:]}
