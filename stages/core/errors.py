"""The one kind of error a user causes, and how a stage ends on it."""

import os
import sys
from collections.abc import Callable


class InputError(Exception):
    """Something given from outside is wrong: a value, a file, a download.

    The message is one line for the person who can mend it: it names the file or key,
    what was found there and what is allowed.
    """


def run(main: Callable[[], None]) -> None:
    """Run a stage's `main`; end an `InputError` with its line on stderr and exit status 1.

    Any other exception is a defect of ours and keeps its traceback.
    """
    try:
        main()
    except InputError as error:
        sys.exit("\n".join(f"error: {line}" for line in str(error).splitlines()))
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        # The reader of our output (`| head`) has gone; nothing is left to say to it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
