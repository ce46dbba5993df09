"""Looking after a library: what it holds, found again, moved, checked, copied and tidied.

Works over the stores; the command line calls it directly, so that a list is on the screen before
anything that listens or draws is loaded.
"""
