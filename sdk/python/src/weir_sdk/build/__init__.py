"""Builds a plugin's component: `python -m weir_sdk.build FOLDER`. What `weir plugin build` runs for Python."""
