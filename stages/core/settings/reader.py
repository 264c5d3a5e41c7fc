"""How params.yaml is read: YAML to checked values, and every refusal in one line.

A stage declares what it needs by asking for one slice, `read(TrainSettings)`; the slice's
fields are exactly the keys that dvc.yaml lists as that stage's params.
"""

import difflib
from pathlib import Path
from typing import Annotated, Any, TypeVar

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails

from stages.core.errors import InputError
from stages.core.scales import SCALES

PARAMS_FILE = Path("params.yaml")
# What PyYAML raises, beside its own errors, on a text that is no number, date or the like though a
# tag says so, and on one that is nested too deep.
BROKEN = (ValueError, LookupError, AttributeError, TypeError, RecursionError)


class Slice(BaseModel):
    """Some keys of params.yaml, typed and bounded; keys of other slices are ignored."""

    model_config = ConfigDict(extra="ignore", frozen=True, strict=True)


class Section(BaseModel):
    """A nested mapping of params.yaml: it belongs to one slice, so unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


SliceType = TypeVar("SliceType", bound=Slice)


def _as_number(value: Any) -> Any:
    # PyYAML reads 1e-3 and 1e-05 (as `dvc exp run -S lambda=1e-5` writes it) as strings.
    if isinstance(value, str):
        try:
            return float(value)
        except ValueError:
            return value
    if type(value) is int and abs(value) < 2**53:
        return float(value)
    return value


def _for_every_scale(value: Any) -> Any:
    return value if isinstance(value, dict) else dict.fromkeys(SCALES, value)


def _as_known_scale(value: Any) -> Any:
    if value not in SCALES or type(value) is not int:
        raise ValueError("unknown scale")
    return value


Number = Annotated[float, BeforeValidator(_as_number)]
Scale = Annotated[int, BeforeValidator(_as_known_scale)]
PerScale = Annotated[
    dict[Scale, Annotated[int, Field(ge=1, le=100_000)]],
    BeforeValidator(_for_every_scale),
]
PerScaleRate = Annotated[
    dict[Scale, Annotated[Number, Field(gt=0, le=1, allow_inf_nan=False)]],
    BeforeValidator(_for_every_scale),
]
RATE_NOTE = "a number above 0 and at most 1, or one for each scale as in {2: 0.002, 4: 0.001}"
PER_SCALE_NOTE = "a whole number from 1 to 100000, or one for each scale as in {2: 96, 4: 96}"


def within(*, above: float | None = None, least: float | None = None, most: float) -> Any:
    """A bounded number's field; the sentence that errors show is made from the same bounds."""
    low = f"above {above:g}" if above is not None else f"of at least {least:g}"
    return Field(
        gt=above,
        ge=least,
        le=most,
        allow_inf_nan=False,
        description=f"a number {low} and at most {most:g}",
    )


def whole(*, least: int, most: int) -> Any:
    """A bounded whole number's field."""
    return Field(ge=least, le=most, description=f"a whole number from {least} to {most}")


class _Loader(yaml.SafeLoader):
    """Safe YAML of plain values: no key given twice, of which PyYAML would keep the last silently.

    No anchors either: an alias hides what a run was made with, and nested ones grow without bound.
    """

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        event = self.peek_event()
        if getattr(event, "anchor", None):
            raise yaml.composer.ComposerError(
                None,
                None,
                f"anchors and aliases (here {event.anchor!r}) are not allowed: write the value out",
                event.start_mark,
            )
        return super().compose_node(parent, index)


def _unique_mapping(loader: _Loader, node: yaml.MappingNode) -> dict[Any, Any]:
    loader.flatten_mapping(node)
    mapping: dict[Any, Any] = {}
    for key_node, value_node in node.value:
        key = loader.construct_object(key_node, deep=True)
        try:
            given_twice = key in mapping
        except TypeError as error:
            raise yaml.constructor.ConstructorError(
                None, None, "a key must be a name or a number", key_node.start_mark
            ) from error
        if given_twice:
            raise yaml.constructor.ConstructorError(
                None, None, f"key {key!r} is given twice", key_node.start_mark
            )
        mapping[key] = loader.construct_object(value_node, deep=True)
    return mapping


_Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _unique_mapping)


def load_yaml(path: Path = PARAMS_FILE) -> dict[str, Any]:
    """The mapping that a YAML file holds; `InputError` names the file, line and fault."""
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from error
    except (yaml.YAMLError, *BROKEN) as error:
        mark = getattr(error, "problem_mark", None)
        where = f" line {mark.line + 1}:" if mark else ""
        what = getattr(error, "problem", None) or " ".join(str(error).split())
        raise InputError(f"{path}:{where} is no valid YAML: {what}") from error
    if not isinstance(content, dict):
        raise InputError(f"{path}: found {type(content).__name__}; allowed: keys with values")
    return content


def read(slice_type: type[SliceType], path: Path = PARAMS_FILE) -> SliceType:
    """The slice's values out of params.yaml; `InputError` has a line for every wrong key."""
    raw = load_yaml(path)
    try:
        return slice_type.model_validate(raw)
    except ValidationError as error:
        lines = {_line(slice_type, raw, detail, path): None for detail in error.errors()}
        raise InputError("\n".join(lines)) from error


def keys_of(slice_type: type[Slice]) -> set[str]:
    """The top-level keys of params.yaml that a slice reads."""
    return {field.alias or name for name, field in slice_type.model_fields.items()}


def _line(model: type[BaseModel], raw: Any, detail: ErrorDetails, path: Path) -> str:
    """One refusal: file, key, what was found, what is allowed."""
    keys: list[str] = []
    found: Any = raw
    allowed = ""
    owner: type[BaseModel] | None = model
    for step in detail["loc"]:
        if not isinstance(found, dict) and keys:
            break  # below a value that stands for all scales, or inside a list
        keys.append(str(step) if str(step).isprintable() else repr(step))
        found = found.get(step, _MISSING) if isinstance(found, dict) else _MISSING
        if owner is not None:
            fields = {f.alias or n: f for n, f in owner.model_fields.items()}
            if str(step) not in fields:
                close = difflib.get_close_matches(str(step), fields, n=1)
                hint = f"; did you mean {close[0]!r}?" if close else ""
                known = ", ".join(sorted(fields))
                return f"{path}: {'.'.join(keys)}: unknown key{hint}; known: {known}"
            field = fields[str(step)]
            allowed = field.description or allowed
            inner: Any = field.annotation
            is_section = isinstance(inner, type) and issubclass(inner, BaseModel)
            owner = inner if is_section else None
    shown = "nothing" if found is _MISSING else _short(found)
    return f"{path}: {'.'.join(keys)}: found {shown}; allowed: {allowed or detail['msg']}"


_MISSING = object()


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."
