"""The output of other programs: what is said if they fail."""

from pathlib import Path

import pytest

from srstudy.common.errors import InputError
from tools.commands import output

SCRIPT = "#!/bin/sh\necho first >&2\necho 'ERROR: why' >&2\necho more >&2\nexit 255\n"


def test_program_that_fails_is_named_with_the_line_that_says_why(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"^cat /no/file: ended with status 1: cat: /no/file: "):
        output("cat", "/no/file")
    with pytest.raises(InputError, match=r"^false: ended with status 1: no message$"):
        output("false")
    program = tmp_path / "program"
    program.write_text(SCRIPT)
    program.chmod(0o755)
    with pytest.raises(InputError, match=r"program a: ended with status 255: ERROR: why$"):
        output(str(program), "a")
