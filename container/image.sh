#!/bin/sh
# Build the image healthd:VERSION with docker or podman: container/image.sh [OPTION...]
# PLATFORMS=linux/amd64,linux/arm64 builds it for each of these: podman keeps them as a manifest list,
# and docker, whose store may not hold several, writes dist/healthd-VERSION.tar (an OCI archive).
set -eu
cd "$(dirname "$0")/.."
version=$(sed -n 's/^__version__ = "\(.*\)"/\1/p' healthd/_version.py)
tags="--tag healthd:$version --tag healthd:latest"
set -- --file container/Dockerfile "$@" .
if builder=$(command -v docker); then
    # shellcheck disable=SC2086 # a list of words
    [ -n "${PLATFORMS:-}" ] || exec "$builder" build $tags "$@"
    mkdir -p dist
    # What buildx adds also lists the packages of the system, and says how the image was built.
    # shellcheck disable=SC2086 # a list of words
    exec "$builder" buildx build --platform "$PLATFORMS" --sbom=true --provenance=mode=max $tags \
        --output "type=oci,dest=dist/healthd-$version.tar" "$@"
elif builder=$(command -v podman); then
    # shellcheck disable=SC2086 # a list of words
    [ -n "${PLATFORMS:-}" ] || exec "$builder" build $tags "$@"
    exec "$builder" build --platform "$PLATFORMS" --manifest "healthd:$version" "$@"
fi
echo "make image needs docker or podman" >&2
exit 1
