"""What others' users would write for the nearest job, one program each, and how they are timed."""
