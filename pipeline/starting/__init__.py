"""From a clone of Golden to a team's own repository, and from there to a newer Golden."""
