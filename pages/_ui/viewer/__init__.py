"""The lightbox that every page has, and Present: one clip at a time, as large as fits."""
