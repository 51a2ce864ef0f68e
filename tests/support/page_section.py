"""Writes one section of a Markdown page and leaves the others as they are."""
import pathlib
import re


def replace_section(page: pathlib.Path, heading: str, body: str):
    """Replaces the section `## heading` up to the next one of its level, or appends it; a page that is not there begins with
    a title made from its name."""
    text = page.read_text() if page.exists() else f"# {page.stem.capitalize()}\n"
    section = f"## {heading}\n\n{body.strip()}\n"
    found = re.search(rf"^## {re.escape(heading)}\n.*?(?=^## |\Z)", text, re.DOTALL | re.MULTILINE)
    if found is None:
        text = f"{text.rstrip()}\n\n{section}"
    else:
        after = text[found.end():]
        text = text[:found.start()] + section + ("\n" + after if after else "")
    page.write_text(text)
