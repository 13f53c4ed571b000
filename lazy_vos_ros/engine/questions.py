"""The book of open questions to the operator."""


class UnknownRequestError(ValueError):
    """An answer to a question that is not open: the message says why."""
