"""Errors that the user can correct."""


class InputError(Exception):
    """Wrong input: a value, a file or a download.

    The message is one line. It names the file or key, what was found and what is allowed.
    """


class ChoiceError(InputError, ValueError):
    """An unknown name of a network, degradation or loss, or a fault in the chosen file."""
