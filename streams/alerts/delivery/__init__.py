"""Delivery to each receiver: how far it was told, its digests, and what it refused."""
