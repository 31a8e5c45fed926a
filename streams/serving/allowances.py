"""How often someone may ask: an allowance each, kept in the memory of the process.

What it holds off is one who asks so much that this process has no time for others, so each process
looks after itself: it works while Redis is away, costs no question to it, and `serve` goes on to
write nothing. Of several processes each grants the whole allowance.
"""

import ipaddress
import math
from collections import OrderedDict
from collections.abc import Callable

SECONDS = 60.0
# Who asked longest ago is forgotten first, which gives back a full allowance.
MOST_KEPT = 10_000
# Someone with one network of IPv6 has all of its addresses.
IPV6_NETWORK = 64


class Allowances:
    """So many a minute for each, all at once or spread; the rest is refused until it comes back."""

    def __init__(self, a_minute: int, seconds: Callable[[], float]) -> None:
        """`a_minute` of 0 holds nothing off; `seconds` are of a clock that never goes back."""
        self._step = SECONDS / a_minute if a_minute else 0.0
        self._seconds = seconds
        # When the whole of someone's allowance will be there again.
        self._whole_at: OrderedDict[str, float] = OrderedDict()

    def wait(self, who: str) -> int:
        """Seconds until someone may ask again; 0 for now."""
        if not self._step:
            return 0
        ahead = self._whole_at.get(who, 0.0) - self._seconds()
        return max(0, math.ceil(ahead + self._step - SECONDS - 1e-9))

    def take(self, who: str) -> None:
        """Take one question off someone's allowance."""
        if not self._step:
            return
        now = self._seconds()
        self._whole_at[who] = max(self._whole_at.get(who, 0.0), now) + self._step
        self._whole_at.move_to_end(who)
        while len(self._whole_at) > MOST_KEPT:
            self._whole_at.popitem(last=False)

    def give_back(self, who: str) -> None:
        """Put back what was taken for a question that does not count."""
        if who in self._whole_at:
            self._whole_at[who] -= self._step


def address_key(address: str) -> str:
    """What stands for an address: itself, or its network where one owner has all of that."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped:
            return str(found.ipv4_mapped)
        return str(ipaddress.ip_network((found, IPV6_NETWORK), strict=False))
    return str(found)
