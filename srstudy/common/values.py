"""The kinds of values in params.yaml, each with its bounds and their description."""

from collections.abc import Mapping
from typing import Annotated, Any, TypeVar

from pydantic import BeforeValidator, Field, ValidationInfo

from srstudy.common.choices import names
from srstudy.common.errors import InputError
from srstudy.common.params import Entries, refuse, shown
from srstudy.common.scales import SCALES

BY_SCALE = Entries("x{scale}", tuple(f"x{scale}" for scale in SCALES))
MOST_STEPS = 10_000_000
MOST_EPOCHS = 100_000
MOST_COUNT = 100_000  # of a patch size or stride in pixels, and of a batch size in patches

Value = TypeVar("Value")


def within(
    *,
    above: float | None = None,
    least: float | None = None,
    most: float,
    or_null: bool = False,
) -> Any:
    """The field of a bounded number. Its description in errors is made from the same bounds.

    or_null: the description also names null, for values that another key may give instead.
    """
    low = f"above {above:g}" if above is not None else f"of at least {least:g}"
    return Field(
        gt=above,
        ge=least,
        le=most,
        allow_inf_nan=False,
        description=f"a number {low} and at most {most:g}{', or null' if or_null else ''}",
    )


def whole(*, least: int, most: int, or_null: bool = False) -> Any:
    """The field of a bounded whole number; or_null: see `within`."""
    words = f"a whole number from {least} to {most}{', or null' if or_null else ''}"
    return Field(ge=least, le=most, description=words)


def per_scale(example: str) -> Any:
    """The field of a mapping with a value per scale; example: entries that errors show."""
    return Field(description=f"a mapping with keys {', '.join(BY_SCALE.keys)}, as in {{{example}}}")


def at_scale(values: Mapping[int, Value], key: str, scale: int) -> Value:
    """The entry of a scale in a value per scale; key: its name in params.yaml.

    `InputError` if there is no entry: params.yaml needs one only for the scales of the study.
    """
    if scale not in values:
        raise InputError(f"{key}.x{scale}: found nothing; allowed: an entry for this scale")
    return values[scale]


def choice_field(room: str) -> Any:
    """The field of a name that chooses a file in a folder of srstudy; see `is_file_of`."""
    return Field(description=f"one of {', '.join(names(room))}")


def is_file_of(room: str) -> BeforeValidator:
    """A validator: the name must be a file of the room: `Annotated[str, is_file_of("losses")]`."""

    def check(value: Any, info: ValidationInfo) -> Any:
        # Listed again here: the field's description dates from the import of the module.
        allowed = names(room)
        if not isinstance(value, str) or value not in allowed:
            found = f"{info.field_name}: found {shown(value)}"
            refuse([f"{found}; allowed: {', '.join(allowed)}"])
        return value

    return BeforeValidator(check)


def _known_scale(value: Any) -> Any:
    if value not in SCALES or type(value) is not int:
        raise ValueError("unknown scale")
    return value


def _scale_of_key(key: Any) -> int:
    if key not in BY_SCALE.keys:
        raise ValueError("unknown key")
    return int(key[1:])


Scale = Annotated[int, BeforeValidator(_known_scale)]
# The keys are written x2, x3, x4, x8: DVC can set and track `epochs.x2`, but not a key that is a
# number. In code the keys are the scales themselves.
ScaleKey = Annotated[int, BeforeValidator(_scale_of_key)]
CountPerScale = Annotated[
    dict[ScaleKey, Annotated[int, whole(least=1, most=MOST_COUNT)]],
    BY_SCALE,
]
EpochsPerScale = Annotated[
    dict[ScaleKey, Annotated[int | None, whole(least=1, most=MOST_EPOCHS, or_null=True)]],
    BY_SCALE,
]
StepsPerScale = Annotated[
    dict[ScaleKey, Annotated[int | None, whole(least=1, most=MOST_STEPS, or_null=True)]],
    BY_SCALE,
]
RatePerScale = Annotated[dict[ScaleKey, Annotated[float, within(above=0, most=1)]], BY_SCALE]
