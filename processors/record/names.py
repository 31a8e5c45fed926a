"""Names by number, so that columns can hold them."""


class Names:
    """Numbers for names, from 1 in the order in which they are first met; 0 is no name.

    Names beyond the most allowed get 0 as well: a bound on what hostile input can make grow.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._numbers: dict[str, int] = {}
        self._names: list[str | None] = [None]

    @property
    def count(self) -> int:
        """How many numbers there are, that of no name among them: all are less."""
        return len(self._names)

    def number(self, name: str | None) -> int:
        """The number of a name."""
        if not name:
            return 0
        number = self._numbers.get(name)
        if number is None:
            if len(self._names) > self._most:
                return 0
            number = self._numbers[name] = len(self._names)
            self._names.append(name)
        return number

    def name(self, number: int) -> str | None:
        """The name that has a number."""
        return self._names[number]
