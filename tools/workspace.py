# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the sessions of the noxfile share: a clean environment, the checkout as a collection, the artifact.

All state is in ``.build`` and in the user's cache for entra-auth.
"""

from __future__ import annotations

import contextlib
import filecmp
import gzip
import hashlib
import io
import json
import os
import pathlib
import re
import shutil
import subprocess
import tarfile
import typing as t
import zipfile

if t.TYPE_CHECKING:
    import nox

    Runner = t.Callable[..., None]

ROOT: t.Final = pathlib.Path(__file__).resolve().parents[1]
BUILD: t.Final = ROOT / ".build"
COLLECTION: t.Final = pathlib.Path("ansible_collections/entra/auth")
PACKAGED: t.Final = BUILD / "packaged"
CACHE: t.Final = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "entra-auth"
IN_CI: t.Final = bool(os.environ.get("CI"))
JOBS: t.Final = os.environ.get("JOBS", "2")
# Plays wait a lot, so there are more of them at once than cores.
PLAY_JOBS: t.Final = os.environ.get("JOBS", "3")

# What the caller's shell carries must not decide a test.
_FOREIGN = re.compile(
    r"(ANSIBLE|AZURE|ARM|ENTRA_AUTH|IDENTITY|MSI|ACTIONS_ID_TOKEN|SYSTEM_OIDC|XDG|COV_CORE|NOX|UV)_|PYTHON"
    r"|SYSTEM_ACCESSTOKEN$|(REQUESTS|CURL)_CA_BUNDLE$|SSL_CERT_(FILE|DIR)$|VIRTUAL_ENV$"
)
_TENANT = ("ENTRA_AUTH_TENANT_ID", "AZURE_TENANT_ID", "AZURE_TENANT", "ARM_TENANT_ID")
_CLIENT = ("ENTRA_AUTH_CLIENT_ID", "AZURE_CLIENT_ID", "ARM_CLIENT_ID")
# ansible-test downloads get-pip.py under these names, one for each pip that a core wants.
_PIP_VERSIONS = ("23_1_2", "24_2", "25_2")
_SHIPPED = re.compile(
    r"CHANGELOG\.(md|rst)|(CODE_OF_CONDUCT|CONTRIBUTING|README|RELEASING|SECURITY)\.md|COPYING|LICENSES|REUSE\.toml"
    r"|FILES\.json|MANIFEST\.json|changelogs|docs|extensions|meta|playbooks|plugins|roles|tests(/config\.yml)?"
)
_NEEDED_BY_A_RUN = frozenset({"meta", "plugins", "roles", "playbooks", "extensions", "MANIFEST.json"})


def real_path() -> str:
    """Return PATH with the interpreters of pyenv in place of its shims, which answer and then fail."""
    folders = os.environ.get("PATH", "").split(os.pathsep)
    roots = [pathlib.Path(folder).parent for folder in folders if folder.endswith("/shims")]
    pyenv = [*roots, pathlib.Path(os.environ.get("PYENV_ROOT") or pathlib.Path.home() / ".pyenv")]
    found = [str(path) for root in pyenv for path in sorted(root.glob("versions/3.*/bin"), key=_by_preference)]
    return os.pathsep.join([*(folder for folder in folders if not folder.endswith("/shims")), *found])


def _by_preference(path: pathlib.Path) -> tuple[bool, str]:
    # python3 should be a current one.
    return not path.parent.name.startswith("3.11."), path.parent.name


os.environ["PATH"] = real_path()
# Ansible does not start without a UTF-8 locale.
os.environ["LC_ALL"] = "en_US.UTF-8" if os.uname().sysname == "Darwin" else "C.UTF-8"


def collection_environment() -> dict[str, str]:
    """Return the variables that make the checkout an installed collection, with an empty ansible.cfg."""
    link = BUILD / COLLECTION
    link.parent.mkdir(parents=True, exist_ok=True)
    # Another run of nox, which make test starts beside this one, may be first.
    with contextlib.suppress(FileExistsError):
        link.symlink_to("../../..")
    config = BUILD / "ansible.cfg"
    config.write_text("")
    return {
        "ANSIBLE_COLLECTIONS_PATH": str(BUILD),
        "ANSIBLE_CONFIG": str(config),
        "ANSIBLE_HOME": str(BUILD / "ansible"),
        "ANSIBLE_INVENTORY_UNPARSED_WARNING": "false",
        "ANSIBLE_LOCALHOST_WARNING": "false",
        "PYTHONPATH": str(ROOT / "tests"),
    }


def hermetic_environment() -> dict[str, str]:
    """Return an environment that nothing of the caller's shell, home or proxy reaches."""
    kept = {name: value for name, value in os.environ.items() if not _FOREIGN.match(name)}
    home = CACHE / "home"
    cached = home / ".ansible/test/cache"
    cached.mkdir(parents=True, exist_ok=True)
    for copy in (cached / f"get_pip_{version}.py" for version in _PIP_VERSIONS):
        # Not each time: a run of ansible-test beside this one may be reading it.
        if not copy.exists() or not filecmp.cmp(ROOT / "tools/get_pip.py", copy, shallow=False):
            shutil.copy(ROOT / "tools/get_pip.py", copy)
    loopback = "localhost,127.0.0.1,::1"
    own = {
        "HOME": str(home),
        "NO_PROXY": loopback,
        "no_proxy": loopback,
        "PIP_CACHE_DIR": str(CACHE / "pip"),
        "PYTHONPYCACHEPREFIX": str(BUILD / "pycache"),
        "HYPOTHESIS_STORAGE_DIRECTORY": str(BUILD / "hypothesis"),
    }
    return {**kept, **own, **collection_environment()}


def names_a_tenant() -> bool:
    """Return whether the caller's environment names an app of a tenant, with some credential."""
    given = {name for name, value in os.environ.items() if value}
    proof = re.compile(r"(ENTRA_AUTH|AZURE|ARM)_.*(SECRET|CERTIFICATE|TOKEN|PASSWORD)")
    return bool(given.intersection(_TENANT) and given.intersection(_CLIENT) and any(map(proof.match, given)))


def find_program(session: nox.Session, *names: str) -> str:
    """Return the path of the first program that is installed; skip the session if none is, and fail in CI."""
    found = next(filter(None, map(shutil.which, names)), None)
    if not found:
        require_programs(session, names[0])
    return str(found)


def require_programs(session: nox.Session, *names: str) -> None:
    """Skip the session where a program is missing, and name the command that installs it; fail in CI."""
    missing = [name for name in names if not shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin:/sbin")]
    if not missing:
        return
    text = f"missing: {', '.join(missing)}. On Debian: apt-get install {' '.join(missing)}"
    session.error(text) if IN_CI else session.skip(text)


# --- the collection as it is shipped --------------------------------------------------------------------------------


def make_tree() -> pathlib.Path:
    """Copy what git would commit to a folder of the name that ansible-test and the artifact want."""
    tree = BUILD / "tree" / COLLECTION
    shutil.rmtree(BUILD / "tree", ignore_errors=True)
    tree.mkdir(parents=True)
    listed = _output("git", "ls-files", "-co", "--exclude-standard", "-z", cwd=ROOT)
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, tree / name)
    # A repository of its own: in an ignored folder of this one ansible-test finds no files.
    _output("git", "init", "-q", str(tree), cwd=ROOT)
    return tree


def build_artifact(session: nox.Session, run: Runner) -> pathlib.Path:
    """Build the artifact twice, hold that both are the same, and return its path."""
    for folder in ("dist", "dist-again"):
        shutil.rmtree(BUILD / folder, ignore_errors=True)
        with session.chdir(make_tree()):
            run(session, "ansible-galaxy", "collection", "build", "--output-path", str(BUILD / folder))
    artifact = find_artifact()
    normalize_artifact(artifact)
    again = BUILD / "dist-again" / artifact.name
    normalize_artifact(again)
    if not filecmp.cmp(artifact, again, shallow=False):
        session.error("Two builds of the same sources differ.")
    with tarfile.open(artifact) as archive:
        names = {name if name.startswith("tests/") else name.partition("/")[0] for name in archive.getnames()}
    if unexpected := sorted(name for name in names if not _SHIPPED.fullmatch(name)):
        session.error(f"The artifact holds {', '.join(unexpected)}. Add them to build_ignore in galaxy.yml.")
    return artifact


def find_artifact() -> pathlib.Path:
    """Return the artifact that was built last."""
    (artifact,) = (BUILD / "dist").glob("entra-auth-*.tar.gz")
    return artifact


def normalize_artifact(artifact: pathlib.Path) -> None:
    """Rewrite a tarball so that it depends on its content and the last commit's time alone."""
    moment = int(_output("git", "log", "-1", "--format=%ct", cwd=ROOT))
    with tarfile.open(artifact) as old:
        members = [(member, old.extractfile(member)) for member in old.getmembers()]
        contents = [(member, file.read() if file else None) for member, file in members]
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w") as new:
        # Galaxy reads the manifest first.
        for member, content in sorted(contents, key=lambda item: (item[0].name != "MANIFEST.json", item[0].name)):
            member.mtime, member.pax_headers = moment, {}
            new.addfile(member, None if content is None else io.BytesIO(content))
    artifact.write_bytes(gzip.compress(plain.getvalue(), mtime=0))


def strip_installed(installed: pathlib.Path) -> None:
    """Remove from the installed collection everything that a run does not need."""
    for path in (installed / COLLECTION).iterdir():
        if path.name not in _NEEDED_BY_A_RUN:
            shutil.rmtree(path) if path.is_dir() else path.unlink()


def fetch_collection(session: nox.Session, name: str) -> None:
    """Fetch a collection out of Ansible's package, so that the sessions need no server but the package index."""
    path = f"ansible_collections/{name.replace('.', '/')}"
    if (PACKAGED / path).is_dir():
        return
    wheels = BUILD / "wheel"
    install = ("pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:")
    session.install("pip", silent=True)
    session.run("python", "-m", *install, "-d", str(wheels), "ansible ~= 12.3.0")
    with zipfile.ZipFile(next(wheels.glob("ansible-*.whl"))) as wheel:
        for member in wheel.namelist():
            if member.startswith(f"{path}/"):
                wheel.extract(member, wheels)
    (PACKAGED / path).parent.mkdir(parents=True, exist_ok=True)
    # At once, so that an interrupted session leaves no half of it.
    (wheels / path).rename(PACKAGED / path)


# --- the execution environment --------------------------------------------------------------------------------------

PODMAN = {"CONTAINERS_CONF": str(ROOT / "tests/ee/containers.conf")}
_EE_IMAGE: t.Final = "localhost/entra-auth-ee:latest"
# A Debian with the Python for which the wheels are fetched. redis wants async-timeout on Python 3.11.2, which pip on
# another patch level does not see.
_EE_DEBIAN: t.Final = "bookworm"
_EE_PYTHON: t.Final = "3.11"
_EE_WHEELS: t.Final = (
    *("ansible-core", "ansible-runner", "async-timeout", "bindep", "dumb-init==1.2.5", "packaging", "pyyaml"),
    *("setuptools", "wheel"),
)
_EE_PLATFORMS: t.Final = ("manylinux_2_34", "manylinux_2_28", "manylinux_2_17", "manylinux2014", "manylinux_2_5")


def build_execution_environment(session: nox.Session, run: Runner, artifact: pathlib.Path) -> str:
    """Build the image with ansible-builder, on EE_BASE or on a Debian that is made for it, and return its name."""
    folder = BUILD / "ee"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    base, manager = os.environ.get("EE_BASE", ""), []
    if not base:
        base, manager = "localhost/entra-auth-ee-base:latest", ["--package-manager", "/usr/bin/apt-get"]
        _build_debian(session, run, folder)
    definition = session.run(
        "python", "tools/ee_definition.py", "--base", base, "--artifact", str(artifact), *manager, silent=True
    )
    (folder / "execution-environment.yml").write_text(str(definition))
    run(
        session, "ansible-builder", "build", "--container-runtime", "podman", "--verbosity", "2", "--file",
        f"{folder}/execution-environment.yml", "--context", f"{folder}/context", "--tag", _EE_IMAGE, **PODMAN,
    )  # fmt: skip
    return _EE_IMAGE


def _build_debian(session: nox.Session, run: Runner, folder: pathlib.Path) -> None:
    root = CACHE / "ee" / f"{_EE_DEBIAN}.tar"
    if not root.exists():
        root.parent.mkdir(parents=True, exist_ok=True)
        packages = "--include=ca-certificates,python3,python3-pip"
        run(session, "mmdebstrap", "--variant=minbase", packages, _EE_DEBIAN, f"{root}.new.tar")
        pathlib.Path(f"{root}.new.tar").replace(root)
    run(session, "podman", "import", "--quiet", str(root), "localhost/entra-auth-ee-debian", **PODMAN)
    machine = os.uname().machine
    platforms = [word for platform in _EE_PLATFORMS for word in ("--platform", f"{platform}_{machine}")]
    session.install("pip", silent=True)
    run(
        session, "python", "-m", "pip", "download", "--quiet", "--dest", f"{folder}/wheels", "--only-binary", ":all:",
        "--implementation", "cp", "--python-version", _EE_PYTHON, *platforms, *_EE_WHEELS, "-r",
        "meta/ee-requirements.txt",
    )  # fmt: skip
    run(
        session, "podman", "build", "--quiet", "--tag", "localhost/entra-auth-ee-base", "--file",
        "tests/ee/Containerfile", str(folder), **PODMAN,
    )  # fmt: skip


def write_bill_of_materials(session: nox.Session, artifact: pathlib.Path) -> None:
    """Write CycloneDX files beside the artifact: its files with their digests, and the packages of an image with it."""
    version = artifact.name.removeprefix("entra-auth-").removesuffix(".tar.gz")
    with tarfile.open(artifact) as archive:
        files = json.load(t.cast("t.IO[bytes]", archive.extractfile("FILES.json")))["files"]
    components = [
        {"type": "file", "name": file["name"], "hashes": [{"alg": "SHA-256", "content": file["chksum_sha256"]}]}
        for file in files
        if file["ftype"] == "file"
    ]
    digest = hashlib.sha256(artifact.read_bytes()).hexdigest()
    bill = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "component": {
                "type": "library",
                "group": "entra",
                "name": "auth",
                "version": version,
                "hashes": [{"alg": "SHA-256", "content": digest}],
                "licenses": [{"license": {"id": "GPL-3.0-or-later"}}],
            }
        },
        "components": components,
    }
    artifact.with_name(f"entra-auth-{version}.cdx.json").write_text(json.dumps(bill, indent=2) + "\n")
    session.run(
        "cyclonedx-py", "requirements", "meta/ee-requirements.txt", "--output-reproducible", "-o",
        str(artifact.with_name(f"entra-auth-{version}.requirements.cdx.json")),
    )  # fmt: skip


def _output(*command: str, cwd: pathlib.Path) -> str:
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=True).stdout
