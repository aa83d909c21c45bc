"""The one place that loads TensorFlow, with the settings that the rest of the project relies on."""

import gc
import os
import threading
from collections.abc import Callable
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")

import keras
import tensorflow as tf

# Small convolutions do not gain from threads inside one operation. One thread per operation and
# two operations at a time keeps both cores busy with the two halves of a batch
# (core/training/training_forward.py).
tf.config.threading.set_intra_op_parallelism_threads(1)
tf.config.threading.set_inter_op_parallelism_threads(2)

# Streamlit calls keras.backend.clear_session after every script run, which also throws away what
# TensorFlow has prepared of every compiled function: a training watched live ran at a fifth of its
# speed. Nothing here uses Keras's global session.
keras.backend.clear_session = lambda: None

_settling = threading.Lock()
_loaded_by = os.getpid()


def settle() -> None:
    """Take all objects that live now out of the garbage collector's sight.

    TensorFlow's 300,000 objects, which never die, would make each full collection cost 0.35 s of
    the interpreter lock, and every traced training step adds 20 ms. What has died since the last
    call is collected first. Whoever drops a network and wants it gone now calls this, too:
    `gc.collect` alone does not see what has been settled. A process forked from one that had loaded
    this leaves alone what it shares: a look at an object writes to its page, and copies it.
    """
    with _settling:  # a collection ends at once where another thread is at one
        if os.getpid() == _loaded_by:
            gc.unfreeze()
        gc.collect()
        gc.freeze()
        gc.collect()  # of nothing: Python looks again when a quarter of what this left was added


settle()


def compiled(function: Callable[..., Any], *types: Any) -> Any:
    """`function` as one graph for arguments of `types` (each a tf.TensorSpec), traced here, once.

    Here, because TensorFlow warns of many traces at calls. Without autograph, which leaves a
    temporary file of source behind for each function, and fails on a full disk.
    """
    graph = tf.function(function, autograph=False, input_signature=types)
    graph.get_concrete_function()
    return graph


__all__ = ["compiled", "keras", "settle", "tf"]
