"""docs/reference/cli.md says what the programs that other commands start say of themselves. (What heroq itself says is
compared in C++.)"""
import os
import pathlib

import pytest

from heroq_cli import heroq

PAGE = (pathlib.Path(os.environ["HEROQ_SOURCE"]) / "docs/reference/cli.md").read_text()


@pytest.mark.parametrize("command", ["serve", "worker"])
def test_flags_of_the_programs_are_on_the_page(command):
    section = PAGE[PAGE.index(f"\n## {command}\n"):].split("\n## ", 2)[1]
    shown = heroq(command, "--help").stdout.strip()
    assert f"```\n{shown}\n```" in section, f"expected in the section {command}:\n{shown}"
