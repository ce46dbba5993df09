"""`python -m reelremix`."""

from __future__ import annotations

from reelremix.cli.entry import main

if __name__ == "__main__":
    main()
