"""Typesetting of captions: shaping, line breaking, styles and drawing."""
