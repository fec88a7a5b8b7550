"""Frames -> frames: every number on the page is computed here; nothing is drawn or written."""
