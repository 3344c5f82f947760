"""Make the folder that azd deploys: the app, the locked requirements, and the packages that they pin, by their hashes.

    python infra/scripts/package.py [--without-packages]

Azure then builds nothing. A build there was seen to run on an older Python than the app needs
(https://github.com/Azure/azure-dev/issues/8538). `--without-packages` leaves the packages to such a build: set
`remoteBuild: true` in azure.yaml as well; it installs by the same hashes.

Needs any CPython 3 with pip, on any system: pip takes the wheels for the machine that the app runs on. It reads the
markers of the lock for its own Python, though, so the lock may have none but those of the implementation; a test looks.
"""

import argparse
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
#: What runs. Everything below `shared` is part of it.
FILES = ("function_app.py", "host.json")
FOLDER = "shared"
LEFT_OUT = ("__pycache__", "*.pyc", ".*")
#: Flex Consumption runs Python 3.13 on Debian 12: glibc 2.36, x86-64.
PYTHON = "3.13"
PLATFORMS = ("manylinux_2_36_x86_64", "manylinux_2_34_x86_64", "manylinux_2_28_x86_64", "manylinux2014_x86_64")
#: Where the Python worker looks for packages: https://learn.microsoft.com/azure/azure-functions/functions-reference-python
PACKAGES = ".python_packages/lib/site-packages"


def copy_app(source: Path, target: Path) -> None:
    """Replace the target by the app's files and its locked requirements."""
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(source / FOLDER, target / FOLDER, ignore=shutil.ignore_patterns(*LEFT_OUT))
    for name in FILES:
        shutil.copy2(source / name, target / name)
    shutil.copy2(source / "requirements.lock", target / "requirements.txt")


def pip_command(target: Path) -> list[str]:
    """Return the command that installs the locked packages; a hash that differs stops it."""
    platforms = [option for platform in PLATFORMS for option in ("--platform", platform)]
    return [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--no-compile",
        "--require-hashes",
        "--no-deps",
        "--only-binary",
        ":all:",
        "--python-version",
        PYTHON,
        *platforms,
        "--target",
        str(target / PACKAGES),
        "--requirement",
        str(target / "requirements.txt"),
    ]


def main(arguments: list[str]) -> int:
    """Make `.package`; return pip's exit code."""
    parser = argparse.ArgumentParser(description="Make the folder .package, which azd deploys.")
    parser.add_argument("--without-packages", action="store_true", help="leave the packages to a build in Azure")
    parser.add_argument("--target", type=Path, default=ROOT / ".package", help="the folder; what is there is deleted")
    options = parser.parse_args(arguments)
    copy_app(ROOT, options.target)
    code = 0 if options.without_packages else subprocess.run(pip_command(options.target)).returncode
    if code == 0:
        print(f"package: {options.target}")
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
