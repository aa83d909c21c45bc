"""Where long work runs: in processes of its own, so that nobody waits for another's."""
