"""The scales that the study knows."""

SCALES = (2, 3, 4, 8)
