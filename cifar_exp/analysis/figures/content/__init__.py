"""What figures show, as tables and in words (alternative texts); imports no matplotlib."""
