"""What can go wrong while setting up."""


class SetupError(RuntimeError):
    """A step cannot be done; the message says why, `advice` how to go on."""

    def __init__(self, message: str, advice: str = '') -> None:
        super().__init__(message)
        self.advice = advice
