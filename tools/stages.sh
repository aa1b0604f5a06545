# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# shellcheck shell=bash
# Sourced by tools/run: one function for each stage, stage_NAME for `tools/run NAME`.

stage_setup() {
  dev_venv
  echo "Ready: .build/venv/dev/bin has ansible-core, the linters and the test runner."
}

# --- sources ----------------------------------------------------------------------------------------------------

stage_lint() {
  dev_venv
  hermetic
  in_venv dev ruff check .
  in_venv dev shellcheck -x -a -P SCRIPTDIR:. tools/run .ci/run
  in_venv dev yamllint --strict .
  in_venv dev reuse lint --quiet || in_venv dev reuse lint --lines
  in_venv dev antsibull-changelog lint
  in_venv dev ansible-lint -q --offline
}

stage_format() {
  dev_venv
  in_venv dev ruff check --select I --fix .
  in_venv dev ruff format .
}

stage_types() {
  dev_venv
  in_venv dev mypy --python-executable "$VENVS/dev/bin/python"
}

stage_docs() {
  dev_venv
  hermetic
  # It looks at a copy. If it finds this checkout as well, the copy's random path gets into what is checked.
  (unset ANSIBLE_COLLECTIONS_PATH; in_venv dev antsibull-docs lint-collection-docs --plugin-docs \
    --validate-collection-refs=all --disallow-unknown-collection-refs .)
  local site=$BUILD/docs
  rm -rf "$site"
  mkdir -p "$site/rst"
  chmod go-w "$site" "$site/rst"
  cp tools/docs_conf.py "$site/conf.py"
  in_venv dev antsibull-docs collection --use-current --squash-hierarchy --dest-dir "$site/rst" entra.auth
  in_venv dev sphinx-build -q -W --keep-going -c "$site" "$site/rst" "$site/html"
  echo "The documentation is in .build/docs/html/index.html"
}

# --- tests ------------------------------------------------------------------------------------------------------

# VENV CORE PYTEST-ARGUMENTS...
suite() {
  local venv=$1 core=$2 runner=(python -m)
  shift 2
  if [ -n "${COVERAGE:-}" ] && [ "$core" = "$MAIN_CORE" ]; then runner=(coverage run -m); fi
  (hermetic; in_venv "$venv" "${runner[@]}" pytest "$@")
}

# The emulator does not depend on the core, and its own tests see broken answers by a requests newer than the oldest.
unit() {
  local which=(tests/unit)
  [ "$2" != "$OLDEST_CORE" ] || which+=(--ignore=tests/unit/entra_emulator)
  suite "$1" "$2" -q -n "${JOBS:-2}" "${which[@]}"
}

# All of it on the main core, the main job whole on the oldest one, and each face on those between. The cache does not
# depend on the core, so its heavy tests run once. Plays wait a lot, so there are more of them at once than cores.
wire() {
  local dir=tests/integration which=()
  case $2 in
    "$MAIN_CORE") which=("$dir") ;;
    2.16)
      which=("$dir"/test_smoke.py "$dir"/app_token "$dir"/authorized_uri "$dir"/secrecy)
      which+=("$dir"/awx/test_{jobs,awx_setup}.py --ignore-glob='*/app_token/test_cache*')
      ;;
    *) which=("$dir"/test_smoke.py "$dir"/app_token/test_{module,lookup,role}.py "$dir"/secrecy/test_runner.py) ;;
  esac
  suite "$1" "$2" -q -n "${JOBS:-3}" "${which[@]}"
}

# Where it can't be had, the tests that use it say so.
redis_server() { (programs redis-server) || true; }

stage_unit() {
  redis_server
  each_core unit
}

stage_wire() {
  redis_server
  stage_awx
  each_core wire
}

# AWX's own injector, in an environment of its own: tests/awx_jobs.py asks it what a job is given.
stage_awx() { venv awx "$PYTHON" -r "$REQUIREMENTS/awx.txt"; }

# Every channel out of a play, with every callback and switch, searched for every secret: on the two oldest cores and the
# two that differ from them.
stage_audit() {
  rm -rf "$BUILD/audit/rows"
  (programs redis-server)
  audit_callback
  CORES="$(entry_of 2.16) 2.18:3.11,3.12 $(entry_of "$MAIN_CORE") $(entry_of 2.21)" each_core audit
  dev_venv
  (hermetic; in_venv dev python -m audit.table)
}

audit() { suite "$1" "$2" -q -n "${JOBS:-2}" tests/audit; }

# The callback json is in a collection that Ansible's package brings along.
audit_callback() {
  local collections=$BUILD/audit/collections wheel=$BUILD/audit/wheel
  [ ! -f "$collections/ansible_collections/ansible/posix/plugins/callback/json.py" ] || return 0
  mkdir -p "$collections"
  quietly "fetching ansible.posix" "$(need_python "$PYTHON")" -m pip download --no-deps --only-binary :all: \
    -d "$wheel" 'ansible ~= 12.3.0'
  "$(need_python "$PYTHON")" -m zipfile -e "$wheel"/ansible-*.whl "$wheel/all"
  mkdir -p "$collections/ansible_collections/ansible"
  mv "$wheel/all/ansible_collections/ansible/posix" "$collections/ansible_collections/ansible/"
  rm -rf "$wheel"
}

stage_quickunit() {
  redis_server
  dev_venv
  unit dev -
}

stage_smoke() {
  dev_venv
  suite dev - -q -m smoke tests/integration
}

# The emulator is right when Microsoft's own clients take it for Entra.
stage_conformance() {
  venv conformance "$PYTHON" -r "$REQUIREMENTS/conformance.txt"
  (hermetic; in_venv conformance python -m pytest -q tests/conformance)
}

stage_coverage() { CORES=$(entry_of "$MAIN_CORE") each_core missed_lines; }

missed_lines() {
  in_venv "$1" coverage combine -q
  in_venv "$1" coverage report
}

# Every Python that ansible-test knows must compile and import the sources on the main core, one suffices elsewhere.
stage_sanity() {
  tree
  CORES="$(entry_of "$MAIN_CORE") $(entry_of 2.16)" each_core sanity
}

sanity() {
  local version pythons=()
  if [ "$2" = "$MAIN_CORE" ]; then
    for version in 3.8 3.9 3.10 3.11 3.12 3.13; do
      find_python "$version" > /dev/null || missing "sanity on Python $version"
    done
  else
    pythons=(--python "$(in_venv "$1" python -c 'import sys; print("%d.%d" % sys.version_info[:2])')")
  fi
  # Shell scripts are lint's; what pip has to say drowns the rest.
  ansible_test "$2" sanity --local --color no --skip-test shellcheck ${pythons[@]+"${pythons[@]}"} 2>&1 |
    grep --line-buffered -vE '^( |Collecting |Downloading |Installing |Successfully |Using cached |\[notice\])'
}

stage_targets() {
  [ -d tests/integration/targets ] || { echo "tests/integration/targets has none yet."; return; }
  tree
  CORES=$(entry_of "$MAIN_CORE") each_core targets
}

targets() { ansible_test "$2" integration --local --color no; }

# --- artifact ---------------------------------------------------------------------------------------------------

# The built collection, and of it only what a run may need, must do what the checkout does.
stage_dist() {
  local installed=$BUILD/installed
  dev_venv
  tree
  rm -rf "$BUILD/dist" "$installed"
  (
    hermetic
    export ANSIBLE_COLLECTIONS_PATH=$installed
    (cd "$BUILD/tree/$COLLECTION" && in_venv dev ansible-galaxy collection build --output-path "$BUILD/dist")
    only_expected_files "$BUILD"/dist/*.tar.gz
    in_venv dev ansible-galaxy collection install --offline --force -p "$installed" "$BUILD"/dist/*.tar.gz
    in_venv dev ansible-galaxy collection verify --offline entra.auth
  )
  find "$installed/$COLLECTION" -mindepth 1 -maxdepth 1 ! -name meta ! -name plugins ! -name roles ! -name playbooks \
    ! -name extensions ! -name MANIFEST.json -exec rm -rf {} +
  heading "the same smoke test against what was installed"
  ENTRA_COLLECTIONS_PATH=$installed suite dev - -q -m smoke tests/integration
  heading "Galaxy's own check"
  importer
}

only_expected_files() {
  local expected='CHANGELOG\.(md|rst)|(CODE_OF_CONDUCT|CONTRIBUTING|README|SECURITY)\.md|COPYING|LICENSES|REUSE\.toml'
  expected+='|FILES\.json|MANIFEST\.json|changelogs|docs|extensions|meta|playbooks|plugins|roles'
  ! tar -tzf "$1" | cut -d / -f 1 | sort -u | grep -vxE "$expected" ||
    fail "the artifact ships these: add them to build_ignore in galaxy.yml, or to the list here."
}

importer() {
  venv importer "$PYTHON" -r "$REQUIREMENTS/importer.txt"
  (
    hermetic
    export GALAXY_IMPORTER_CONFIG=$ROOT/tools/galaxy-importer.cfg
    cd "$BUILD/dist" || exit
    in_venv importer python -m galaxy_importer.main "$BUILD"/dist/*.tar.gz 2>&1 | tee "$LOG/importer.log"
  )
  ! grep -E '^(WARNING|ERROR)' "$LOG/importer.log" || fail "Galaxy's check has complaints, see above."
}

# --- execution environment --------------------------------------------------------------------------------------

# An image built by ansible-builder, and jobs in it as AWX runs them. EE_BASE=registry.example.com/… takes that base.
stage_ee() {
  # shellcheck source=tools/ee.sh
  source "$ROOT/tools/ee.sh"
  dev_venv
  stage_awx
  programs "${EE_PROGRAMS[@]}"
  ee_artifact
  ee_build
  ENTRA_EE_IMAGE=$EE_IMAGE suite dev - -q -n 1 tests/ee
}

# --- demo -------------------------------------------------------------------------------------------------------

DEMO_TENANT=(ENTRA_AUTH_TENANT_ID AZURE_TENANT_ID AZURE_TENANT ARM_TENANT_ID)
DEMO_CLIENT=(ENTRA_AUTH_CLIENT_ID AZURE_CLIENT_ID ARM_CLIENT_ID)
DEMO_CREDENTIAL=(
  ENTRA_AUTH_CLIENT_SECRET AZURE_CLIENT_SECRET AZURE_SECRET ARM_CLIENT_SECRET
  ENTRA_AUTH_CLIENT_CERTIFICATE ENTRA_AUTH_CLIENT_CERTIFICATE_PATH
  AZURE_CLIENT_CERTIFICATE_PATH AZURE_X509_CERTIFICATE_PATH ARM_CLIENT_CERTIFICATE_PATH
  ENTRA_AUTH_FEDERATED_TOKEN ENTRA_AUTH_FEDERATED_TOKEN_FILE
  AZURE_FEDERATED_TOKEN AZURE_FEDERATED_TOKEN_FILE ARM_OIDC_TOKEN_FILE_PATH
  ENTRA_AUTH_REFRESH_TOKEN ENTRA_AUTH_REFRESH_TOKEN_FILE
)

# NAMES... -> the value of the first variable that is set and not empty.
first_set() {
  local name
  for name in "$@"; do
    if [ -n "${!name:-}" ]; then echo "${!name}"; return; fi
  done
  return 1
}

stage_demo() {
  local tenant
  venv demo "$PYTHON" ansible-core -r "$RUNTIME" -r "$REQUIREMENTS/emulator.txt"
  if tenant=$(first_set "${DEMO_TENANT[@]}") && first_set "${DEMO_CLIENT[@]}" > /dev/null &&
    first_set "${DEMO_CREDENTIAL[@]}" > /dev/null; then
    echo "    asking Microsoft, as the environment names an app of tenant $tenant (unset it for the emulator)"
    ansible_defaults
    in_venv demo ansible-playbook entra.auth.demo
  else
    echo "    asking an emulator on this machine (your own tenant: set AZURE_TENANT_ID, AZURE_CLIENT_ID, AZURE_CLIENT_SECRET)"
    hermetic
    in_venv demo python -m entra_emulator exec -- ansible-playbook entra.auth.demo
  fi
}

# --- benchmarks -------------------------------------------------------------------------------------------------

# VENV ARGUMENTS...
benchmarks() {
  local venv=$1
  shift
  (hermetic; PYTHONPATH=$ROOT:$PYTHONPATH in_venv "$venv" python -m benchmarks "$@")
}

# The emulator and Microsoft's own clients, which are rivals here, beside the core.
bench_venv() { venv bench "$PYTHON" "ansible-core~=$MAIN_CORE.0" -r "$RUNTIME" -r "$REQUIREMENTS/conformance.txt"; }

stage_bench() {
  bench_venv
  benchmarks bench
}

stage_bench_full() {
  bench_venv
  benchmarks bench --full --results benchmarks/results.json
}

# The collection comes with Ansible's package, which leaves out the libraries that it needs.
stage_bench_azcollection() {
  local venv=bench-azcollection requirements uv=$CACHE/boot/bin/uv
  venv "$venv" "$PYTHON" 'ansible ~= 12.3.0' -r "$RUNTIME" -r "$REQUIREMENTS/emulator.txt"
  requirements=$(echo "$VENVS/$venv"/lib/python*/site-packages/ansible_collections/azure/azcollection/requirements.txt)
  if [ -x "$uv" ]; then
    VIRTUAL_ENV=$VENVS/$venv quietly "adding the Azure SDK" "$uv" pip install -r "$requirements"
  else
    quietly "adding the Azure SDK" in_venv "$venv" python -m pip install -r "$requirements"
  fi
  benchmarks "$venv" azcollection --full --results benchmarks/results.json
}
