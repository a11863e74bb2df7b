"""Personal data: what it is, how it is found, what stands for it."""
