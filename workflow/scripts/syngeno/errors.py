"""The one exception that is meant for the user's eyes."""


class BadInput(ValueError):
    """An input the user can mend, in one line: the file (or config key), the fact, the remedy."""

    def __init__(self, where: object, fact: str, remedy: str) -> None:
        self.fact = fact
        super().__init__(f"{where}: {fact}; {remedy}")
