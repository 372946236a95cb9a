"""New images of a fitted face: the textured head in other poses and expressions, and eyelids that close.

Training makes faces with large poses and closed eyes with it; the evaluation on video makes clips.
"""
