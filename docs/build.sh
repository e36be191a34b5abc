#!/usr/bin/env bash
# Builds the guides and the reference of every plugin and role into build/docs; a warning is an error.
set -euo pipefail
cd "$(dirname "$0")/.."
rm -rf build/docs-src build/docs
mkdir -p build/docs-src/reference
cp docs/*.md docs/conf.py build/docs-src/
mkdir -p build/docs-src && chmod go-w build/docs-src build/docs-src/reference
antsibull-docs collection --use-current --squash-hierarchy --dest-dir build/docs-src/reference hafirewall.cluster
sphinx-build -q -W --keep-going -b html build/docs-src build/docs
