"""Surveys: the images of a data set, ranked by how much they excite each filter of a model."""
