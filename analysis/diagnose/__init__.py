"""The command line of `analysis.collapse`, on anyone's predictions: NumPy, SciPy and pandas are all it needs.

python -m analysis.diagnose predictions.npz
python -m analysis.diagnose predictions.csv --target x y --prediction x_hat y_hat --split split
"""
