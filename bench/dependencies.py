"""Which stages does DVC run again where a module changes? Asked of DVC itself, module by module.

In a copy of the project, a comment is added to each module of faces/ and stages/ in turn, and `dvc status` says which
stages have a changed dep. Those are to be all that import the module, however deep, and others only where the module
lies in a folder that they have as a dep.

    python -m bench.dependencies
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import yaml

from bench.support.servers import ROOT
from faces.fingerprint import imported_modules
from stages.progress import progress


def copy_project(folder: Path) -> None:
    """Copy what git holds, and let DVC run there without git."""
    names = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    for name in names.split("\0"):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    (folder / ".dvc" / "config.local").write_text("[core]\n    no_scm = true\n", encoding="utf-8")


def changed_deps(folder: Path) -> dict[str, set[str]]:
    """Deps of each stage that are not what dvc.lock says, as `dvc status` tells them."""
    from dvc.repo import Repo  # takes a second

    with Repo(folder) as repo:  # a new one each time: it remembers what it has looked at
        status = repo.status()
    return {
        stage: {path for part in parts if isinstance(part, dict) for path in part.get("changed deps", {})}
        for stage, parts in status.items()
    }


def importers() -> dict[str, set[str]]:
    """Stages by each module of the project that they import, however deep, their own folders included."""
    found: dict[str, set[str]] = {}
    for main in sorted((ROOT / "stages").glob("*/__main__.py")):
        stage = main.parent.name
        own = [".".join(path.relative_to(ROOT).with_suffix("").parts) for path in main.parent.glob("*.py")]
        for module in imported_modules(*(name.removesuffix(".__init__") for name in own)):
            found.setdefault(module, set()).add(stage)
    return found


def measure(folder: Path) -> list[dict[str, Any]]:
    """A row for each module: who imports it, whom DVC names, who shares its folder."""
    os.environ["DVC_NO_ANALYTICS"] = "1"
    deps = {
        stage: [next(iter(dep)) if isinstance(dep, dict) else dep for dep in values["deps"]]
        for stage, values in yaml.safe_load((folder / "dvc.yaml").read_text(encoding="utf-8"))["stages"].items()
    }
    imported_by = importers()
    before = Path.cwd()
    os.chdir(folder)
    try:
        stale = {
            path for paths in changed_deps(folder).values() for path in paths if path.startswith(("faces", "stages"))
        }
        if stale:
            sys.exit(f"dvc.lock is of other code ({', '.join(sorted(stale))}): run 'dvc repro' first")
        rows = []
        files = sorted(path for top in ("faces", "stages") for path in Path(top).rglob("*.py"))
        for path in progress(files, len(files), "changing", "module"):
            content = path.read_bytes()
            path.write_bytes(content + b"\n# A comment.\n")
            changed = changed_deps(folder)
            named = {stage for stage, paths in changed.items() if any(_covers(dep, path.as_posix()) for dep in paths)}
            path.write_bytes(content)
            module = ".".join(path.with_suffix("").parts).removesuffix(".__init__")
            folders = {stage for stage in deps if any(_covers(dep, path.as_posix()) for dep in deps[stage])}
            rows.append({
                "module": path.as_posix(),
                "imported_by": sorted(imported_by.get(module, set())),
                "named": sorted(named),
                "share_its_folder": sorted(folders - imported_by.get(module, set())),
            })  # fmt: skip
    finally:
        os.chdir(before)
    return rows


def _covers(dep: str, path: str) -> bool:
    return path == dep or path.startswith(f"{dep}/")


def main() -> None:
    """Run from the command line."""
    argparse.ArgumentParser("python -m bench.dependencies", description=__doc__).parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        copy_project(folder)
        rows = measure(folder)
    wrong = 0
    print(f"{'module':42}{'imported by = named by DVC':75}only its folder")
    for row in rows:
        imported, named, shared = (set(row[key]) for key in ("imported_by", "named", "share_its_folder"))
        right = imported <= named <= imported | shared
        wrong += not right
        mark = "" if right else f"  WRONG: DVC names {', '.join(row['named']) or 'none'}"
        print(f"{row['module']:42}{', '.join(row['imported_by']):75}{', '.join(sorted(named - imported))}{mark}")
    print(f"\n{len(rows)} modules, {wrong} wrong")
    print(json.dumps({"bench": "dependencies", "modules": len(rows), "wrong": wrong, "rows": rows}))
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
