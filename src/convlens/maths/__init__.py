"""Plain arithmetic on arrays: it knows no trait, no Keras and no browser."""
