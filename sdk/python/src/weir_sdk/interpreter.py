"""Says in a line which Python is needed. What runs before that, this file and `__init__.py`, must parse in any Python 3."""

import sys

NEEDED = (3, 11)

EXIT_CODE = 3


def check(version: "tuple[int, ...]", program: str) -> None:
    """Ends a command, and fails an import, under an older version. The program is `sys.argv[0]`."""
    if version >= NEEDED:
        return
    message = f"Python {NEEDED[0]}.{NEEDED[1]} or later is needed, and this is {version[0]}.{version[1]}: https://www.python.org"
    # Its name while `python -m` still looks for the module, and imports this package on the way.
    if program == "-m":
        sys.stderr.write(f"error: {message}\n")
        sys.exit(EXIT_CODE)
    raise ImportError(message)


check(tuple(sys.version_info[:2]), sys.argv[0] if getattr(sys, "argv", None) else "")
