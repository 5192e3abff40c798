"""`python -m app` is `vfos`."""

import sys

from app.cli import main

sys.exit(main())
