"""The scripts of components, and what they are told; elements, lists, sending and clip_texts are shared.

script  a script joined from files, and the facts that it is told
assets  addresses that change with their text, so that browsers keep it
"""
