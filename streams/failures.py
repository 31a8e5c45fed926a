"""Failures that a user can do something about."""


class Understood(Exception):  # noqa: N818 - a family of conditions, each named for itself
    """A condition whose text says all that a user needs: what, where, and what to do."""
