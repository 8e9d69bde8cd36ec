"""A user's model: its convolution layers, what each is fed, and its output."""
