"""Statistical disclosure control of public releases: what may go out, and proof that it may."""
