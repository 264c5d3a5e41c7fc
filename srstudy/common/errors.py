"""The one kind of error a user causes."""


class InputError(Exception):
    """Something given from outside is wrong: a value, a file, a download.

    The message is one line for the person who can mend it: it names the file or key,
    what was found there and what is allowed.
    """
