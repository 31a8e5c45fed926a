"""Rebuild: a shard's state made anew from the log, beside the one in use.

The new state grows under the next generation number while readers and workers go on with the
present one. It then takes over in one step, and workers, refused with the old generation, take it
up and read on from its offset. A rebuild that dies half-way leaves nothing that anyone reads.

Where the log is another than the one that the state was made from, all of it is taken, and its dead
letters are written. Where the number of partitions is another, the shards of the group take over
together, and those that there are no more go.

Where the log no longer has all that the state rests on, a rebuild refuses, unless someone says by
name that it is to be made from what the log has. What is lost then is kept with the state
(streams.state.gaps). Records of the state before are not taken over: what cannot be computed again
from the log could never be compared with it, nor released.
"""
