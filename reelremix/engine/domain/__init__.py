"""The vocabulary of the engine: frozen dataclasses and protocols, standard library only."""
