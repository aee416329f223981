"""The scripts of components and what they are told; elements.js, lists.js, sending.js are shared."""
