"""The output of other programs, such as git and DVC."""

import shlex
import subprocess

from srstudy.common.errors import InputError

FAULTS = ("error", "fatal")  # how the messages of DVC and git begin


def output(*command: str) -> str:
    """The standard output of a command. If it fails, `InputError` has the line that says why."""
    ended = subprocess.run(command, check=False, capture_output=True, text=True)
    if ended.returncode:
        lines = ended.stderr.strip().splitlines() or ["no message"]
        said = next((line for line in lines if line.lower().startswith(FAULTS)), lines[-1])
        raise InputError(f"{shlex.join(command)}: ended with status {ended.returncode}: {said}")
    return ended.stdout
