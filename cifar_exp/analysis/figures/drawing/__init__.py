"""Drawing with matplotlib and seaborn, in a process of its own."""
