"""The optional cloud module; its place in the layers is fixed, its contents come later."""
