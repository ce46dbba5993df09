"""The only code that touches PyAV: probing, decoding, scaling, encoding and hardware."""
