"""One adapter for each place that a notebook lives in."""
