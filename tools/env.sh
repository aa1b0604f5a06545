# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# shellcheck shell=bash
# Sourced by tools/run: where things live, a clean environment, Pythons that really start, virtual environments.
# Kept to bash 3.2 and POSIX tools, so that it runs on macOS as well.

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
BUILD=$ROOT/.build
CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/entra-auth
LOG=$BUILD/log
VENVS=$BUILD/venv
COLLECTION=ansible_collections/entra/auth

# ansible-core : the Pythons it may run on, the first one found is taken.
CORES=${CORES:-2.16:3.11,3.12 2.19:3.11,3.12,3.13 2.20:3.12,3.13,3.14 2.21:3.13,3.12,3.14}
# The core that ansible-test's integration targets and the coverage figures come from.
MAIN_CORE=2.19
OLDEST_CORE=2.16
# For everything that does not care; PYTHON=3.12 asks for one.
PYTHON=${PYTHON:-3.11,3.12,3.13,3.14}

RUNTIME="$ROOT/meta/ee-requirements.txt"
REQUIREMENTS="$ROOT/tests/requirements"

# --- environment ------------------------------------------------------------------------------------------------

# pyenv's shims answer to `command -v` and then exit 127, which breaks ansible's interpreter discovery and
# ansible-test. The interpreters behind them take their place, 3.11 first because python3 should be a current one.
real_path() {
  local dir root
  while IFS= read -r -d : dir; do
    case $dir in
      */shims) root=${dir%/shims}; pyenv_bins "$root" ;;
      *) printf '%s:' "$dir" ;;
    esac
  done <<< "$PATH:"
  pyenv_bins "${PYENV_ROOT:-$HOME/.pyenv}"
}

pyenv_bins() {
  local dir
  for dir in "$1"/versions/3.11.*/bin "$1"/versions/3.1[0234].*/bin "$1"/versions/3.[89].*/bin; do
    [ ! -d "$dir" ] || printf '%s:' "$dir"
  done
}

PATH=$(real_path)
export PATH=${PATH%:}
unset PYTHONPATH PYTHONHOME VIRTUAL_ENV
export PYTHONPYCACHEPREFIX=$BUILD/pycache UV_CACHE_DIR=$CACHE/uv PIP_CACHE_DIR=$CACHE/pip
export UV_PYTHON_DOWNLOADS=never UV_SYSTEM_CERTS=1
# Ansible refuses to start without a UTF-8 locale.
if [ "$(uname)" = Darwin ]; then export LC_ALL=en_US.UTF-8; else export LC_ALL=C.UTF-8; fi

[ -t 1 ] || export NO_COLOR=1

# What the caller's shell, home or proxy carries must not decide a test.
hermetic() {
  local name
  for name in $(compgen -e); do
    case $name in
      ANSIBLE_*|AZURE_*|ARM_*|ENTRA_AUTH_*|IDENTITY_*|MSI_*|ACTIONS_ID_TOKEN_*|SYSTEM_OIDC*|SYSTEM_ACCESSTOKEN|XDG_*) unset "$name" ;;
      REQUESTS_CA_BUNDLE|CURL_CA_BUNDLE|SSL_CERT_FILE|SSL_CERT_DIR) unset "$name" ;;
    esac
  done
  export HOME=$CACHE/home NO_PROXY=localhost,127.0.0.1,::1 no_proxy=localhost,127.0.0.1,::1
  mkdir -p "$HOME"
  ansible_defaults
}

# The checkout as an installed collection; an empty ansible.cfg, so that nobody's own is read.
ansible_defaults() {
  export ENTRA_COLLECTIONS_PATH=${ENTRA_COLLECTIONS_PATH:-$BUILD}
  export ANSIBLE_COLLECTIONS_PATH=$ENTRA_COLLECTIONS_PATH ANSIBLE_HOME=$BUILD/ansible ANSIBLE_CONFIG=$BUILD/ansible.cfg
  export ANSIBLE_LOCALHOST_WARNING=false ANSIBLE_INVENTORY_UNPARSED_WARNING=false
  export PYTHONPATH=$ROOT/tests HYPOTHESIS_STORAGE_DIRECTORY=$BUILD/hypothesis
  : > "$ANSIBLE_CONFIG"
}

# --- messages ---------------------------------------------------------------------------------------------------

heading() { printf '\n--- %s\n' "$*"; }

fail() { printf 'error: %s\n' "$*" >&2; exit 1; }

# Something this machine cannot run: said now, said again at the end, and an error where nobody reads along.
missing() {
  printf '!!! NOT RUN: %s\n' "$*" | tee -a "$BUILD/missing" >&2
  [ -z "${CI:-}" ]
}

# One line while it works; everything it said only if it failed.
quietly() {
  printf '    %s ... ' "$1"
  local start=$SECONDS
  shift
  if "$@" > "$LOG/quietly.log" 2>&1; then
    echo "$((SECONDS - start)) s"
  else
    echo failed
    cat "$LOG/quietly.log" >&2
    return 1
  fi
}

# --- programs of the system -------------------------------------------------------------------------------------

# NAMES...: those that are missing are installed, where that takes no question.
programs() {
  local name needed=() as_root=()
  for name in "$@"; do
    PATH=$PATH:/usr/sbin command -v "$name" > /dev/null || needed+=("$name")
  done
  [ ${#needed[@]} -gt 0 ] || return 0
  [ "$(id -u)" = 0 ] || as_root=(sudo -n)
  if ! command -v apt-get > /dev/null || ! ${as_root[@]+"${as_root[@]}"} true 2> /dev/null; then
    fail "this needs ${needed[*]}, and can install them itself only as root on Debian or Ubuntu: install them, then run it again."
  fi
  # shellcheck disable=SC2016
  quietly "installing ${needed[*]} with apt-get" ${as_root[@]+"${as_root[@]}"} sh -c \
    'apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@"' - "${needed[@]}"
}

# --- Pythons ----------------------------------------------------------------------------------------------------

starts() { [ -x "$1" ] && "$1" -c "import ensurepip, ssl, sys, venv; sys.exit('%d.%d' % sys.version_info[:2] != '$2')" 2> /dev/null; }

# VERSION[,VERSION...] -> the path of the first one that really starts and can make virtual environments.
find_python() {
  local version dir
  for version in ${1//,/ }; do
    while IFS= read -r -d : dir; do
      for dir in "$dir/python$version" "$dir/python3"; do
        if starts "$dir" "$version"; then echo "$dir"; return; fi
      done
    done <<< "$PATH:"
  done
  return 1
}

need_python() {
  find_python "$1" || fail "no usable Python ${1//,/ or } found on PATH or under pyenv. It must have the ensurepip, ssl and venv modules" \
    "(on Debian and Ubuntu: apt-get install python3-venv)."
}

# --- virtual environments ---------------------------------------------------------------------------------------

# NAME VERSIONS PIP-ARGUMENTS... -> .build/venv/NAME, made anew only when its Python or its packages change.
venv() {
  local dir=$VENVS/$1 name=$1 python key
  python=$(need_python "$2")
  shift 2
  key=$({ echo "$dir $python"; "$python" -VV; printf '%s\n' "$@"; cat "$RUNTIME" "$REQUIREMENTS"/*.txt; } | git hash-object --stdin)
  [ "$(cat "$dir/.key" 2> /dev/null)" != "$key" ] || return 0
  [ -x "$CACHE/boot/bin/uv" ] || quietly "fetching the installer" bootstrap "$python" || echo "    going on with plain pip"
  quietly "setting up $name on $("$python" -V)" install_venv "$dir" "$python" "$@"
  echo "$key" > "$dir/.key"
}

bootstrap() {
  mkdir -p "$CACHE"
  "$1" -m venv --clear "$CACHE/boot" && "$CACHE/boot/bin/python" -m pip install --only-binary :all: uv
}

# uv takes seconds where pip takes minutes, but is not to be had everywhere and reads no pip configuration.
install_venv() {
  local dir=$1 python=$2 uv=$CACHE/boot/bin/uv
  shift 2
  rm -rf "$dir"
  if [ -x "$uv" ] && "$uv" venv --python "$python" "$dir" && VIRTUAL_ENV=$dir "$uv" pip install "$@"; then return; fi
  rm -rf "$dir"
  "$python" -m venv "$dir" && "$dir/bin/python" -m pip install "$@"
}

dev_venv() { venv dev "$PYTHON" 'ansible-core<2.22' -r "$RUNTIME" -r "$REQUIREMENTS/test.txt" -r "$REQUIREMENTS/dev.txt"; }

# The oldest core goes with the oldest libraries.
core_venv() {
  local libraries=()
  [ "$1" != "$OLDEST_CORE" ] || libraries=(-r "$REQUIREMENTS/oldest.txt")
  venv "core-$1" "$2" "ansible-core~=$1.0" -r "$RUNTIME" -r "$REQUIREMENTS/test.txt" ${libraries[@]+"${libraries[@]}"}
}

# VENV COMMAND...: with that environment's programs first.
in_venv() { (export PATH="$VENVS/$1/bin:$PATH"; shift; "$@"); }

# FUNCTION: called as FUNCTION VENV CORE for every ansible-core that a Python here can run.
each_core() {
  local entry core pythons
  for entry in $CORES; do
    core=${entry%%:*} pythons=${entry#*:}
    if find_python "$pythons" > /dev/null; then
      heading "ansible-core $core"
      core_venv "$core" "$pythons"
      "$1" "core-$core" "$core"
    else
      missing "ansible-core $core (needs Python ${pythons//,/ or })"
    fi
  done
}

# CORE -> its entry in CORES, if it has one.
entry_of() {
  local entry
  for entry in $CORES; do
    case $entry in "$1":*) echo "$entry" ;; esac
  done
}

# --- trees ------------------------------------------------------------------------------------------------------

# ansible-test and the artifact want a real folder of the right name that holds what git would commit and no more.
tree() {
  local dest=$BUILD/tree/$COLLECTION
  rm -rf "$BUILD/tree"
  mkdir -p "$dest"
  (cd "$ROOT" && git ls-files -co --exclude-standard -z | while IFS= read -r -d '' file; do
    [ ! -e "$file" ] || printf '%s\0' "$file"
  done | tar --null -T - -cf -) | tar -xf - -C "$dest"
  # Its own repository: in an ignored folder of this one ansible-test finds no files.
  git init -q "$dest"
}

# CORE ARGUMENTS...: ansible-test in the tree. It would download get-pip.py for its own environments; the stand-in
# under the name it looks for (one for each pip that a core asks for) makes do with the interpreter's own pip.
ansible_test() {
  local core=$1 pip
  shift
  mkdir -p "$CACHE/home/.ansible/test/cache"
  for pip in 23_1_2 24_2 25_2; do cp "$ROOT/tools/get_pip.py" "$CACHE/home/.ansible/test/cache/get_pip_$pip.py"; done
  (cd "$BUILD/tree/$COLLECTION" && HOME=$CACHE/home in_venv "core-$core" ansible-test "$@")
}

mkdir -p "$LOG" "$BUILD/${COLLECTION%/*}"
ln -sfn ../../.. "$BUILD/$COLLECTION"
# ansible-test starts programs by their first line, which cannot hold a blank.
if [[ $VENVS = *' '* ]]; then
  VENVS=$CACHE/$(git hash-object --stdin <<< "$VENVS")
  mkdir -p "$CACHE" "$BUILD/venv"
  ln -sfn "$BUILD/venv" "$VENVS"
fi
