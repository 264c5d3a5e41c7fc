"""The fastest precision for training here: bfloat16 if the hardware supports it, else float32.

Emulated bfloat16 takes more than ten times as long as float32 (measured on a processor with only
AVX2).
"""

from pathlib import Path
from typing import Literal

import tensorflow as tf

from srstudy.common.machine import PROCESSOR, processor

Precision = Literal["float32", "bfloat16"]

# Linux's names of the processor features: AVX-512 and AMX on x86, and ARM's.
BFLOAT16_FLAGS = frozenset(("avx512_bf16", "amx_bf16", "bf16"))
AMPERE = (8, 0)  # NVIDIA's first compute capability with bfloat16


def precision_here(setting: Literal["auto", "float32", "bfloat16"]) -> Precision:
    """The precision of a setting on this machine: `auto` is resolved, the others are unchanged."""
    if setting != "auto":
        return setting
    gpus = tf.config.list_physical_devices("GPU")
    fast = all(map(_gpu_has_bfloat16, gpus)) if gpus else processor_has_bfloat16()
    return "bfloat16" if fast else "float32"


def processor_has_bfloat16(description: Path = PROCESSOR) -> bool:
    """Whether Linux lists bfloat16 among the processor's features; False on other systems."""
    said = processor(description)
    flags = said.get("flags") or said.get("features") or ""
    return not BFLOAT16_FLAGS.isdisjoint(flags.split())


def _gpu_has_bfloat16(gpu: tf.config.PhysicalDevice) -> bool:
    details = tf.config.experimental.get_device_details(gpu)
    return details.get("compute_capability", (0, 0)) >= AMPERE
