"""How far the dataset is from what production shows: failure rates, drift, last seen, verdicts, and what it would have caught."""
