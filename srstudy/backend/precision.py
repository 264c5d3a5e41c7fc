"""Which arithmetic trains fastest here: bfloat16 where the processor has it, else float32.

Emulated bfloat16 is over ten times as slow as float32 (measured on a processor with AVX2 alone).
"""

from pathlib import Path
from typing import Literal

import tensorflow as tf

from srstudy.common.machine import PROCESSOR, processor

Precision = Literal["float32", "bfloat16"]

# As Linux names them: AVX-512's and AMX's on x86, and ARM's.
BFLOAT16_FLAGS = frozenset(("avx512_bf16", "amx_bf16", "bf16"))
AMPERE = (8, 0)  # the first of NVIDIA's compute capabilities that has bfloat16


def precision_here(setting: Literal["auto", "float32", "bfloat16"]) -> Precision:
    """What a setting means on this machine: `auto` is decided, the others stay what they are."""
    if setting != "auto":
        return setting
    gpus = tf.config.list_physical_devices("GPU")
    fast = all(map(_gpu_has_bfloat16, gpus)) if gpus else processor_has_bfloat16()
    return "bfloat16" if fast else "float32"


def processor_has_bfloat16(description: Path = PROCESSOR) -> bool:
    """Whether Linux lists bfloat16 arithmetic among its processor's features; elsewhere: no."""
    said = processor(description)
    flags = said.get("flags") or said.get("features") or ""
    return not BFLOAT16_FLAGS.isdisjoint(flags.split())


def _gpu_has_bfloat16(gpu: tf.config.PhysicalDevice) -> bool:
    details = tf.config.experimental.get_device_details(gpu)
    return details.get("compute_capability", (0, 0)) >= AMPERE
