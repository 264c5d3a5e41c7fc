"""The errors that a user causes."""


class InputError(Exception):
    """Something given from outside is wrong: a value, a file, a download.

    The message is one line for the person who can mend it: it names the file or key,
    what was found there and what is allowed.
    """


class ChoiceError(InputError, ValueError):
    """A name that chooses nothing, or a chosen file (a network, a loss ...) that is not right."""
