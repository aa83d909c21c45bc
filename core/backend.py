"""The one place that loads TensorFlow, with the settings that the rest of the project relies on."""

import gc
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")

import keras
import tensorflow as tf

# Small convolutions do not gain from threads inside one operation. One thread per operation and
# two operations at a time keeps both cores busy with the two halves of a batch (core/trainer.py).
tf.config.threading.set_intra_op_parallelism_threads(1)
tf.config.threading.set_inter_op_parallelism_threads(2)

# Streamlit collects garbage after every script run; TensorFlow's 300,000 objects would make each
# collection cost 0.35 s of the interpreter lock. They never die, so take them out of its sight.
gc.collect()
gc.freeze()

__all__ = ["keras", "tf"]
