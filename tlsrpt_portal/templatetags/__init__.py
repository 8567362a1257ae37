"""Template tags that know the whole portal."""
