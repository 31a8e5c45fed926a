"""Erasing children: their messages leave the log, and what is known of them the state.

Releases stand: what they hold are sums, and each is part of a chain. The steps, and why it is done
so, are in docs/decisions/0012-erasing-children.md.
"""
