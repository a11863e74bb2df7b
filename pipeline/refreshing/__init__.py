"""What a dataset needs to stay like its production: which failures it lacks, and which examples production shows no more."""
