"""Speed, measured as a ratio against the stock way, both in one run."""
