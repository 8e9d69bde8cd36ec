"""A Keras convolution layer as geometry, weights and a call that changes nothing."""
