"""A release of the dataset: what is written about it, and the git tag by which it is fetched."""
