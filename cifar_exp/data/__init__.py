"""Where images come from, how they are split, and what happens to them on the device."""
