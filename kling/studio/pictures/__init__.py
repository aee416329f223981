"""Pictures that videos begin and end with: checked, made anew without anything but pixels, and kept once.

reencode       the child that decodes what came from outside, and writes it anew
frame_of_clip  the child that takes one frame out of a clip
maker          starts these two
words          what is said of a picture that is refused, or was changed
store          the folder of pictures, by the hash of their bytes
references     who still needs a picture; what nobody needs is deleted
"""
