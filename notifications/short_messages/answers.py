"""What may come back instead of "taken". The texts are for people, and name no secret."""


class Refused(Exception):
    """The server said no. ``is_final``: and would say so again."""

    def __init__(self, answer: str, *, is_final: bool):
        super().__init__(answer)
        self.is_final = is_final


class Gone(Exception):
    """There is nobody behind the address any more."""


class NoAnswer(Exception):
    """The server can't be talked to."""
