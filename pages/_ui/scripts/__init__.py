"""The scripts of components and what they are told; elements.js and lists.js are parts of several."""
