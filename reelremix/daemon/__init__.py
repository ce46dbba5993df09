"""The local daemon; its place in the layers is fixed, its contents come later."""
