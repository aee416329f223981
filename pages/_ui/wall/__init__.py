"""The wall: pictures of clips in rows that fill the width, in Gallery and in a collection."""
