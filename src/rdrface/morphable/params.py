"""The layout of Q = [alpha_id, P, alpha_exp], the parameters of the 3D face (supplement, section 1)."""

NUM_IDENTITY = 50
"""Length of alpha_id, the identity coefficients."""

NUM_POSE = 7
"""Length of P = [pitch, yaw, roll, t_x, t_y, t_z, f]."""

NUM_EXPRESSION = 46
"""Length of alpha_exp, the expression coefficients."""

NUM_PARAMETERS = NUM_IDENTITY + NUM_POSE + NUM_EXPRESSION
"""Length of Q."""

IDENTITY = slice(0, NUM_IDENTITY)
POSE = slice(IDENTITY.stop, IDENTITY.stop + NUM_POSE)
EXPRESSION = slice(POSE.stop, NUM_PARAMETERS)
"""Place of each part in the last axis of Q."""

ROTATION = slice(0, 3)
TRANSLATION = slice(3, 6)
SCALE = 6
"""Places in P: pitch, yaw, roll [rad]; t_x, t_y, t_z [mm]; f."""
