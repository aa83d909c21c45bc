"""One page each; a view imports no other view."""
