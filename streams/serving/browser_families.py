"""Which family of browsers someone uses, by what it says of itself: that much and no more."""

# What the ways in which browsers call themselves have in common, the more particular first: each
# also says that it is some of those after it.
FAMILIES = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("CriOS/", "Chrome"),
    ("Safari/", "Safari"),
)
ANOTHER = "Another browser"


def browser_family(user_agent: str) -> str:
    """The family that a User-Agent names; ANOTHER where it names none that is known here."""
    return next((family for sign, family in FAMILIES if sign in user_agent), ANOTHER)
