"""Names of images and classes, and which of two spellings mean the same."""
