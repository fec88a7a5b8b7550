"""Many runs: plan them, train them with an executor, and show their state."""
