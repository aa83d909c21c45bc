"""A visitor's own images, as they have them: what a file holds is found, and said."""
