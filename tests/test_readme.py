"""What the README shows is what happens: its code runs and prints what stands there, its commands and links exist."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")
CHINESE = (ROOT / "README.zh-CN.md").read_text(encoding="utf-8")


def _blocks(text: str) -> list[tuple[str, str]]:
    """(language, content) of every fenced block."""
    return re.findall(r"```(\w*)\n(.*?)```", text, re.DOTALL)


def _tables(text: str) -> list[list[list[str]]]:
    """The cells of every table, row by row."""
    rows = [[cell.strip() for cell in line.strip("|").split("|")] if line.startswith("|") else [] for line in text.splitlines()]
    return [list(table) for full, table in itertools.groupby(rows, bool) if full]


def test_the_example_prints_what_the_readme_says(capsys: pytest.CaptureFixture[str]) -> None:
    blocks = _blocks(TEXT)
    codes = [(code, blocks[i + 1][1]) for i, (language, code) in enumerate(blocks) if language == "python"]
    assert codes
    for code, printed in codes:
        exec(compile(code, "README.md", "exec"), {})
        assert capsys.readouterr().out == printed


def test_the_first_screen_has_two_commands_that_the_makefile_knows() -> None:
    first_screen = "\n".join(TEXT.splitlines()[:25])
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert re.findall(r"^make (\w+)", first_screen, re.MULTILINE) == ["run", "test"]
    assert {"run", "test", "bench", "notebooks", "lint", "soak"} <= targets


@pytest.mark.parametrize("page", ["README.md", "README.zh-CN.md", "docs/limits.md", "docs/glossary.md"])
def test_links_lead_somewhere(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#]+)\)", text):
        assert target.startswith("http") or (ROOT / page).parent.joinpath(target).exists(), target


def test_the_chinese_readme_has_the_same_code() -> None:
    """Comments may be translated, but for those that the program prints."""

    def code(text: str) -> list[tuple[str, str]]:
        return [(kind, re.sub(r" *#.*", "", block) if kind == "sh" else block) for kind, block in _blocks(text)]

    assert code(CHINESE) == code(TEXT)


def test_the_chinese_readme_has_the_same_figures_and_names_in_its_tables() -> None:
    def facts(text: str) -> list[list[list[list[str]]]]:
        return [[[re.findall(r"`[^`]+`|\d[\d.,]*\d|\d", cell) for cell in row] for row in table] for table in _tables(text)]

    assert facts(CHINESE) == facts(TEXT)
    assert len(facts(TEXT)) == 3


def test_the_two_readmes_lead_to_the_same_places_and_to_each_other() -> None:
    def targets(text: str) -> list[str]:
        return re.findall(r"\]\(([^)]+)\)", text)

    assert targets(TEXT)[0] == "README.zh-CN.md"
    assert targets(CHINESE)[0] == "README.md"
    assert targets(CHINESE)[1:] == targets(TEXT)[1:]
    assert CHINESE.count("\n## ") == TEXT.count("\n## ")


def test_the_glossary_is_sorted_and_has_chinese_words() -> None:
    for table in _tables((ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")):
        words = [row[0] for row in table[2:]]
        assert words == sorted(words, key=str.lower)
        assert all(re.search("[\u4e00-\u9fff]", row[1]) for row in (table[0], *table[2:]))
