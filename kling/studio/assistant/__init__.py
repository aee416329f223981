"""The prompt assistant: a language model of the operator's choice that rewrites prompts on request.

settings    which server, with which key; off where none is named
questions   what can be asked for, and the words in which it is asked
client      one question to the server and its answer, piece by piece, within bounds
plain_text  what is left of an answer: printable text and nothing else
answers     an answer as what a person can take: a text, alternatives, a storyboard
assistant   who may ask how often; puts the parts together
"""
