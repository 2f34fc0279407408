#!/bin/sh
# Write the list of the packages in a folder of install.sh (SBOM, CycloneDX): container/sbom.sh FOLDER FILE
# CYCLONEDX is the program cyclonedx-py, of the package cyclonedx-bom.
set -eu
folder=$1 file=$2 root=$(dirname "$0")/..
version=$("$folder/bin/python" -c 'from importlib.metadata import version; print(version("healthd"))')
# It reads what the list is of from a file, which must name the version.
project=$(mktemp)
trap 'rm -f "$project"' EXIT
sed "s/^dynamic = \[\"version\"\]$/version = \"$version\"/" "$root/pyproject.toml" >"$project"
# Packages that the folder does not contain do not belong to it.
env -u PYTHONPATH "${CYCLONEDX:-cyclonedx-py}" environment --pyproject "$project" --mc-type application \
    --output-reproducible --spec-version 1.6 --output-format JSON --no-validate --output-file "$file" "$folder/bin/python"
