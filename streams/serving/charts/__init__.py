"""Charts as SVG from our own templates: no script, no inline style, and words for all they show."""
