"""Invented customer chats with labels, to choose thresholds on and to measure with."""
