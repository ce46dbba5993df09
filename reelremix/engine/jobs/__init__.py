"""Whole jobs, one idea a module: a request and a running `Job` in, its result out."""
