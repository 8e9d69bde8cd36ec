"""Interpretation of filters and of outputs: gradients, attributions, and images that excite a filter most."""
