"""Sound for a clip that is there already.

dialog  orders it: which sounds, which music, what it costs
"""
