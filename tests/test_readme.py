"""What the README shows is what happens: its code runs and prints what stands there, its commands and links exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_example_prints_what_the_readme_says(capsys: pytest.CaptureFixture[str]) -> None:
    blocks = re.findall(r"```(\w*)\n(.*?)```", TEXT, re.DOTALL)
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


@pytest.mark.parametrize("page", ["README.md", "docs/limits.md", "docs/glossary.md"])
def test_links_lead_somewhere(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#]+)\)", text):
        assert target.startswith("http") or (ROOT / page).parent.joinpath(target).exists(), target
