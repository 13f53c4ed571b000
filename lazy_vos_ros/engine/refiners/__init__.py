"""Refiners turn clicks on one image into a mask."""
