"""What the templates of the console need beyond Django's own tags."""
