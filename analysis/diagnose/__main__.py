"""Runs `python -m analysis.diagnose`."""

import sys

if __name__ == "__main__":
    try:
        # Ctrl-C may come while NumPy is being imported.
        from analysis.diagnose.command import main

        code = main()
    except KeyboardInterrupt:
        print("analysis.diagnose: interrupted", file=sys.stderr)
        code = 130
    sys.exit(code)
