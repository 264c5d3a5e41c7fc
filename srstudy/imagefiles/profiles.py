"""ICC colour profiles: whether a profile is complete and fits an image's pixels."""

from typing import Literal

Space = Literal["RGB ", "GRAY"]
NAMES = {"RGB ": "colours", "GRAY": "grey"}
HEADER = 132  # bytes, including the number of tags
LARGEST = 255 * 65_519  # bytes: what JPEG can hold, in segments


def fitting_profile(profile: bytes | None, space: Space) -> tuple[bytes | None, str | None]:
    """The profile without padding; or None, and the reason why it is left out.

    A profile is left out if it is truncated, broken or of another colour space than the pixels,
    or if PNG or JPEG cannot hold it.
    """
    if not profile:
        return None, None
    profile = profile[: max(HEADER, int.from_bytes(profile[:4]))]
    fault = _fault(profile, space)
    return (None, f"its colour profile {fault} and is left out") if fault else (profile, None)


def _fault(profile: bytes, space: Space) -> str | None:
    """The fault by libpng's rules: of the libraries that write our files, it is the strictest."""
    if len(profile) < HEADER or profile[36:40] != b"acsp":
        return "is not an ICC profile"
    if len(profile) < int.from_bytes(profile[:4]):
        return "is truncated"
    if len(profile) > int.from_bytes(profile[:4]):
        return "gives a wrong length"
    if len(profile) > LARGEST:
        return f"is longer than {LARGEST} bytes"
    if profile[8] > 3 and len(profile) % 4:
        return "has a length that is not a multiple of 4"
    if profile[16:20] != space.encode():
        found = profile[16:20].decode("ascii", "replace").strip()
        return f"is for {found if found.isprintable() else 'other values'}, not {NAMES[space]},"
    if profile[12:16] in (b"abst", b"link") or profile[20:24] not in (b"XYZ ", b"Lab "):
        return "does not describe colours of images"
    return None if _tags_fit(profile) else "is broken"


def _tags_fit(profile: bytes) -> bool:
    count = int.from_bytes(profile[128:132])
    if int.from_bytes(profile[64:68]) >= 0xFFFF or HEADER + 12 * count > len(profile):
        return False
    for entry in range(HEADER, HEADER + 12 * count, 12):
        start = int.from_bytes(profile[entry + 4 : entry + 8])
        if start + int.from_bytes(profile[entry + 8 : entry + 12]) > len(profile):
            return False
    return True
