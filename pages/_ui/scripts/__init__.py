"""The scripts of components, and what they are told; elements, lists, sending and clip_texts are shared."""
