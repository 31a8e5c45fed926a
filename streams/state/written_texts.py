"""Texts that a commit writes by key: most of them are short, and go to Redis by one command."""

from typing import Any, NamedTuple

# Sets the first texts, and appends the others to those that are there. A commit of a few events
# writes some twenty, of which each as a command of its own takes the client longer than Redis.
WRITE = """
for index, key in ipairs(KEYS) do
  redis.call(index <= tonumber(ARGV[1]) and 'SET' or 'APPEND', key, ARGV[index + 1])
end
"""
# Bytes of a text from which on it is a command of its own.
LONG = 65_536


class WrittenTexts(NamedTuple):
    """Texts as they are from then on, and what others grow by at their ends; no key is in both.

    Where a key holds something else than a text, those after it are not written either.
    """

    whole: dict[str, bytes]
    more: dict[str, bytes]

    def queue(self, pipe: Any) -> None:
        """Queue all of them in a pipeline."""
        whole, more = _short(self.whole), _short(self.more)
        for key in self.whole.keys() - whole.keys():
            pipe.set(key, self.whole[key])
        for key in self.more.keys() - more.keys():
            pipe.append(key, self.more[key])
        if whole or more:
            texts = *whole.values(), *more.values()
            pipe.eval(WRITE, len(texts), *whole, *more, len(whole), *texts)


def _short(texts: dict[str, bytes]) -> dict[str, bytes]:
    return {key: text for key, text in texts.items() if len(text) < LONG}
