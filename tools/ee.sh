# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# shellcheck shell=bash
# Sourced for the stage ee: an execution environment that is really built, and jobs that really run in it. Images of the
# name localhost/entra-auth-ee… and the file system that is their base stay, in podman's storage and in
# ~/.cache/entra-auth/ee, so that the next time is quick. Nothing keeps running.

EE=$BUILD/ee
EE_IMAGE=localhost/entra-auth-ee:latest
EE_PROGRAMS=(podman runc mmdebstrap)
# The base where none is named by EE_BASE: a Debian with the Python for which EE_WHEELS are fetched. async-timeout is
# redis's wish on Python 3.11.2, which pip on another patch level does not see.
EE_DEBIAN=bookworm
EE_PYTHON=3.11
EE_WHEELS=(ansible-core ansible-runner async-timeout bindep dumb-init==1.2.5 packaging pyyaml setuptools wheel)

export CONTAINERS_CONF=$ROOT/tests/ee/containers.conf

# The tarball of what is here, whose name is then the only one in .build/ee.
ee_artifact() {
  rm -rf "$EE"
  mkdir -p "$EE"
  tree
  (cd "$BUILD/tree/$COLLECTION" && in_venv dev ansible-galaxy collection build --output-path "$EE")
}

ee_debian() {
  local root=$CACHE/ee/$EE_DEBIAN.tar
  if [ ! -s "$root" ]; then
    mkdir -p "$CACHE/ee"
    quietly "making a Debian $EE_DEBIAN" mmdebstrap --variant=minbase \
      --include=ca-certificates,python3,python3-pip "$EE_DEBIAN" "$CACHE/ee/new.tar"
    mv "$CACHE/ee/new.tar" "$root"
  fi
  quietly "taking it as an image" podman import --quiet "$root" localhost/entra-auth-ee-debian
  quietly "fetching packages for it" ee_wheels
  quietly "adding Ansible to it" podman build --quiet --tag localhost/entra-auth-ee-base --file tests/ee/Containerfile "$EE"
}

# For the Python in the container, whatever the one here is.
ee_wheels() {
  local platform platforms=()
  for platform in manylinux_2_34 manylinux_2_28 manylinux_2_17 manylinux2014 manylinux_2_5; do
    platforms+=(--platform "${platform}_$(uname -m)")
  done
  in_venv dev python -m ensurepip
  in_venv dev python -m pip download --quiet --dest "$EE/wheels" --only-binary :all: --implementation cp \
    --python-version "$EE_PYTHON" "${platforms[@]}" "${EE_WHEELS[@]}" -r "$RUNTIME"
}

ee_build() {
  local base=${EE_BASE:-} own=()
  if [ -z "$base" ]; then
    base=localhost/entra-auth-ee-base:latest own=(--package-manager /usr/bin/apt-get)
    ee_debian
  fi
  in_venv dev python tools/ee_definition.py --base "$base" --artifact "$EE"/entra-auth-*.tar.gz \
    ${own[@]+"${own[@]}"} > "$EE/execution-environment.yml"
  quietly "building the image on $base" in_venv dev ansible-builder build --container-runtime podman --verbosity 2 \
    --file "$EE/execution-environment.yml" --context "$EE/context" --tag "$EE_IMAGE"
}
