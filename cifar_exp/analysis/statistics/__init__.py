"""Frames -> frames. Nothing is drawn or written here, and every figure on the page is from here."""
