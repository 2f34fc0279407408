#!/bin/sh
# Install healthd into a new folder, as the image has it: container/install.sh FOLDER [WHEEL]
# Run it in the root of the repository. PYTHON is the Python that the folder is for.
set -eu
folder=$1 source=${2:-.}
"${PYTHON:-python3}" -m venv --clear "$folder"
"$folder/bin/python" -m pip install --quiet --disable-pip-version-check --no-compile "$source[web]"
# What installs packages is not part of an image in which nothing is installed.
"$folder/bin/python" -m pip uninstall --quiet --yes setuptools pip
"$folder/bin/python" -m compileall -q "$folder/lib"
