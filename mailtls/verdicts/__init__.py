"""One module per aspect: an observation in, an aspect with status and findings out."""
