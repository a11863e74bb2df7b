"""The one exception for a user's mistake."""


class InputError(Exception):
    """Something the user gave is wrong: its message is one line, names the file and the line or key, and says what to do.

    The message never holds the content of a record.
    """
