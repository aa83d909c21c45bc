"""The neuron microscope."""
