"""Time as rules see it: civil dates, working days and windows."""
