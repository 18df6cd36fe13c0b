"""Tickets that belong together: links, merging, splitting."""
