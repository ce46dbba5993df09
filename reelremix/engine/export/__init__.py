"""Published file formats, read and written."""
