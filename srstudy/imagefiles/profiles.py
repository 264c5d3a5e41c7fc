"""ICC colour profiles: which fit an image's pixels, and are whole."""

from typing import Literal

Space = Literal["RGB ", "GRAY"]
NAMES = {"RGB ": "colours", "GRAY": "grey"}
HEADER = 132  # bytes, with the number of tags


def fitting_profile(profile: bytes | None, space: Space) -> tuple[bytes | None, str | None]:
    """The profile for pixels of a colour space, without padding; or None, and why it is left out.

    What is left out is what PNG cannot hold, and what says nothing true of the pixels: a profile
    that is cut short, broken, or of another colour space.
    """
    if not profile:
        return None, None
    profile = profile[: max(HEADER, int.from_bytes(profile[:4]))]
    fault = _fault(profile, space)
    return (None, f"its colour profile {fault} and is left out") if fault else (profile, None)


def _fault(profile: bytes, space: Space) -> str | None:
    """As libpng judges, whose rules are the strictest of those that write our files."""
    if len(profile) < HEADER or profile[36:40] != b"acsp":
        return "is not one"
    if len(profile) < int.from_bytes(profile[:4]):
        return "is cut short"
    if len(profile) > int.from_bytes(profile[:4]):
        return "gives a wrong length"
    if profile[8] > 3 and len(profile) % 4:
        return "has a length that is no multiple of 4"
    if profile[16:20] != space.encode():
        found = profile[16:20].decode("ascii", "replace").strip()
        return f"is for {found if found.isprintable() else 'others'}, not for {NAMES[space]},"
    if profile[12:16] in (b"abst", b"link") or profile[20:24] not in (b"XYZ ", b"Lab "):
        return "describes no colours of images"
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
