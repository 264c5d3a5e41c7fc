"""Strengths of a degradation that are drawn anew for each training image, as noise's are.

A file of the folder above may have them: STRENGTHS, what params.yaml may say of each, as
(least, most); and a function `degrade_at_random(hr, scale, random, **strengths)`, whose defaults
they have: a number, or a pair for a range that is drawn from.
"""

import hashlib
import inspect
from collections.abc import Mapping
from types import ModuleType
from typing import Any

import numpy as np

from srstudy.common.choices import chosen

ROOM, FUNCTION = "degradations", "degrade_at_random"
ALWAYS = 3  # hr, scale and random: what the function is called with in any case


def draws(seed: int, *words: str) -> np.random.Generator:
    """Random numbers that depend on a seed and words, as an image's name, and on nothing else."""
    digest = hashlib.sha256("/".join(words).encode()).digest()
    return np.random.default_rng([seed, *np.frombuffer(digest, np.uint32)])


def strengths(name: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """The strengths of a degradation: the given ones, and the defaults of its file; {} for none.

    given: its entry in params.yaml, already checked.
    """
    values = {**defaults(chosen(ROOM, name, ())), **given}
    return {key: tuple(v) if isinstance(v, list) else v for key, v in values.items()}


def defaults(file: ModuleType) -> dict[str, Any]:
    """The strengths of a degradation's file, with their defaults; {} where it has none."""
    if not hasattr(file, FUNCTION):
        return {}
    parameters = list(inspect.signature(getattr(file, FUNCTION)).parameters.values())
    return {parameter.name: parameter.default for parameter in parameters[ALWAYS:]}
