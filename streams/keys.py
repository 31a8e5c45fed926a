"""What the keys of a deployment in Redis begin with: its own, and those of each of its shards.

Those of a shard have one hash tag, so that a Cluster keeps them together and one step can write
them all.
"""


def of_deployment(deployment: str) -> str:
    """What keys begin with that are of the deployment as a whole."""
    return f"caseline:{{{deployment}}}"


def of_shard(deployment: str, group: str, number: int) -> str:
    """What keys begin with that are of one shard: that of a group's partitions of a number."""
    return f"caseline:{{{deployment}:{group}:{number}}}"
