"""Pipeline steps: plain values in, plain values out."""
