"""Everything at once: a deployment under random faults for a while, and then its figures checked.

`scripts/chaos` runs it. Faults, events and the moments between them come from one seed; what is
compared in the end follows from the events alone, so the outcome does not hang on timing.
"""
