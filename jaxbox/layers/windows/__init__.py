"""Batches of images that differ from one empty image in a small window only: exact, and cheap at any image size.

README.md    the proof, the vocabulary        axis.py      the geometry of one axis
windowed.py  the batch, pointwise functions   products.py  what convolutions and dense layers make of it
gather.py    look-ups and sums with cheap gradients
"""
