#!/usr/bin/env python
"""The container's health check: asks the web server in it, under the name it answers to."""

import os
import sys
import urllib.request
from urllib.parse import urlsplit

site = urlsplit(os.environ.get("SITE_URL", "http://localhost"))
question = urllib.request.Request(
    "http://127.0.0.1:8000/health/live", headers={"Host": site.hostname}
)
with urllib.request.urlopen(question, timeout=4) as answer:  # noqa: S310
    sys.exit(answer.status != 200)
