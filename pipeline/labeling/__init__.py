"""Labelling: what annotators wrote is read and measured, what they should judge next is given out, and their tools' files are read."""
