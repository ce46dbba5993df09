"""The review session: clips looked at, cut and decided on in a terminal.

Draws and listens to keys; what a key does to a clip is done by the engine (`desk`), in worker
threads, so that nothing here ever waits.
"""
