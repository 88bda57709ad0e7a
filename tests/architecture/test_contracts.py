"""Rules of docs/architecture.md that a program can hold: imports, the tree, and whose rows a query reads."""

import ast
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

TOP = Path(__file__).parents[2]
PACKAGE = TOP / "src" / "chappe"
CONTRACTS = tomllib.loads((TOP / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]

# One violation per contract: the contract, the file it is planted in, the import.
VIOLATIONS = [
    ("Inside knows nothing of outside", "model/errors.py", "chappe.services"),
    ("Inside knows nothing of outside", "store/tables.py", "chappe.bus"),
    ("Inside knows nothing of outside", "flows/two_leg.py", "chappe.services"),
    ("Wire formats stand alone", "protocols/http.py", "chappe.model.errors"),
    ("The core never sees a wire format", "services/messages.py", "lxml"),
    ("Pure code does no I/O", "model/errors.py", "time"),
    ("Pure code does no I/O", "flows/two_leg.py", "asyncio"),
    ("Dialects do not know one another", "dialects/orange/wire.py", "chappe.dialects.rest"),
    ("A dialect is pure: only the pipeline touches HTTP", "dialects/orange/wire.py", "starlette"),
    ("Carriers do not know one another", "carriers/sandbox/carrier.py", "chappe.carriers.smpp"),
    ("Storage, bus and host know only the ports", "store/tables.py", "chappe.services.messages"),
]


def lint_imports(root: Path) -> str:
    """What import-linter says of the package in `root`, which holds a `pyproject.toml` and `src`."""
    program = Path(sys.executable).with_name("lint-imports")
    environment = {**os.environ, "PYTHONPATH": str(root / "src"), "NO_COLOR": "1", "COLUMNS": "200"}
    command = [str(program), "--no-cache"]
    return subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True).stdout


def verdicts(said: str) -> dict[str, str]:
    """By contract: KEPT or BROKEN."""
    return {found[1]: found[2] for found in re.finditer(r"^(.+?) (KEPT|BROKEN)", said, re.MULTILINE)}


def test_every_import_contract_holds() -> None:
    said = lint_imports(TOP)
    assert verdicts(said) == {contract["name"]: "KEPT" for contract in CONTRACTS}, said


@pytest.mark.parametrize(("contract", "file", "imported"), VIOLATIONS)
def test_a_planted_violation_breaks_its_contract(
    contract: str, file: str, imported: str, tmp_path: Path
) -> None:
    shutil.copytree(PACKAGE, tmp_path / "src" / "chappe", ignore=shutil.ignore_patterns("static", "locale"))
    shutil.copy(TOP / "pyproject.toml", tmp_path)
    with (tmp_path / "src" / "chappe" / file).open("a") as module:
        module.write(f"\nimport {imported}\n")
    said = lint_imports(tmp_path)
    assert verdicts(said)[contract] == "BROKEN", said


def test_every_violation_is_tried() -> None:
    assert {contract for contract, _, _ in VIOLATIONS} == {contract["name"] for contract in CONTRACTS}


@pytest.mark.parametrize(
    ("folder", "contract", "key"),
    [
        ("dialects", "Dialects do not know one another", "modules"),
        ("dialects", "A dialect is pure: only the pipeline touches HTTP", "source_modules"),
        ("carriers", "Carriers do not know one another", "modules"),
    ],
)
def test_every_folder_of_an_edge_is_in_its_contracts(folder: str, contract: str, key: str) -> None:
    present = {f"chappe.{folder}.{path.parent.name}" for path in (PACKAGE / folder).glob("*/__init__.py")}
    [listed] = [each[key] for each in CONTRACTS if each["name"] == contract]
    assert present - set(listed) == set(), f"add them to the contract {contract!r} in pyproject.toml"


def drawn_tree(document: str) -> dict[str, bool]:
    """Paths in the first fenced block that begins with `src/chappe/`; True for a folder drawn without files.

    Two blanks a level; a folder ends in a slash; what follows the name is a comment."""
    blocks = re.findall(r"^```\w*\n(src/chappe/\n.*?)^```", document, re.MULTILINE | re.DOTALL)
    assert blocks, "docs/architecture.md has no fenced block that begins with the line src/chappe/"
    tree: dict[str, bool] = {}
    folders: list[str] = []
    for line in blocks[0].splitlines()[1:]:
        if not line.strip():
            continue
        depth = (len(line) - len(line.lstrip())) // 2 - 1
        name = line.split()[0]
        path = "".join([*folders[:depth], name])
        tree |= {folder: False for folder in tree if folder.endswith("/") and path.startswith(folder)}
        tree[path] = name.endswith("/")
        folders[depth:] = [name]
    return tree


def test_the_tree_in_the_document_agrees_with_the_disk() -> None:
    tree = drawn_tree((TOP / "docs" / "architecture.md").read_text())
    whole_folders = tuple(path for path, whole in tree.items() if whole)
    modules = {
        path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.py") if path.name != "__init__.py"
    }
    not_drawn = {path for path in modules - set(tree) if not path.startswith(whole_folders)}
    assert not_drawn == set(), "draw them in docs/architecture.md"
    gone = {path for path in tree if not (PACKAGE / path).exists()}
    assert gone == set(), "docs/architecture.md draws what is not there"


def test_the_tree_is_read_as_it_is_drawn() -> None:
    lines = [
        "```",
        "something else",
        "```",
        "```text",
        "src/chappe/",
        "  app.py   builds everything",
        "",
        "  store/   rows",
        "    tables.py  every table",
        "    migrations/",
        "  carriers/",
        "    sandbox/carrier.py  telephones",
        "```",
    ]
    document = "\n".join(lines)
    assert drawn_tree(document) == {
        "app.py": False,
        "store/": False,
        "store/tables.py": False,
        "store/migrations/": True,
        "carriers/": False,
        "carriers/sandbox/carrier.py": False,
    }


def functions(module: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (node for node in ast.walk(module) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def reads_across_accounts(source: str) -> Sequence[str]:
    """Functions that take a connection, but no account, and do not say above `def` why they need none."""
    lines = source.splitlines()
    guilty = []
    for function in functions(ast.parse(source)):
        arguments = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
        names = {argument.arg for argument in arguments}
        types = " ".join(ast.unparse(argument.annotation) for argument in arguments if argument.annotation)
        if "connection" not in names and "Connection" not in types:
            continue
        first_line = min([function.lineno, *(decorator.lineno for decorator in function.decorator_list)])
        excused = re.match(r"\s*# across accounts: \S", lines[first_line - 2])
        private = function.name.startswith("_")  # runs what its caller has scoped
        if "account_id" not in names and not excused and not private:
            guilty.append(function.name)
    return guilty


@pytest.mark.parametrize(
    "file", ["queries.py", "rights.py", "calls.py", "conferences.py", "announcements.py"]
)
def test_every_query_names_the_account_or_says_why_not(file: str) -> None:
    source = (PACKAGE / "store" / file).read_text()
    taking = [f for f in functions(ast.parse(source)) if "account_id" in {a.arg for a in f.args.args}]
    assert taking, f"store/{file} has no query of an account: does this rule still look at the right place?"
    assert reads_across_accounts(source) == []


def test_a_query_without_account_is_found() -> None:
    source = (
        "def a(connection, x): ...\n"
        "async def b(c: AsyncConnection): ...\n"
        "# across accounts: the clock asks for everybody\n"
        "def c(connection): ...\n"
        "def d(connection, account_id): ...\n"
        "def e(row): ...\n"
        "def _f(connection, statement): ...\n"
    )
    assert reads_across_accounts(source) == ["a", "b"]
