"""Golden: evaluation datasets of AI systems, built, versioned and gated like code."""
