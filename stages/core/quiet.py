"""TensorFlow without its start-up lines: import this before anything that imports it."""

import os

# Lines about CPU instructions, missing CUDA and oneDNN say nothing that a person could act on.
# Set from outside, the variable keeps its value: TF_CPP_MIN_LOG_LEVEL=0 shows everything.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")
