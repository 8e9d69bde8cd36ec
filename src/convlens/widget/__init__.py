"""The Jupyter widget: traits and wiring."""
