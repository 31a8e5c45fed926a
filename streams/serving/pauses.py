"""When Python looks for garbage in what serves: seldom, and never in what was there at first.

To look through all that a server holds takes longer than most answers, which wait for it.
"""

import gc

# Objects that are new before they are looked through, which takes a millisecond or two; and how
# often that is before older ones are, and all.
THRESHOLDS = (10_000, 20, 100)


def shorten_pauses() -> None:
    """Set what is there now apart from what is looked through; to be called before answering."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)
