"""Copies of clips to take away, which tell by themselves what they are.

names     readable names of files, from any prompt
mp4_text  texts in the metadata of an MP4 file, written and read without decoding anything
settings  which facts of a job its copy carries, and how they are read from any file
bundle    a ZIP of clips, posters, facts and digests, made while it is sent
"""
