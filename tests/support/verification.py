"""What `heroq verify` says of a directory."""
import json

from heroq_cli import heroq


def verify(directory, source=None):
    """Exit code, findings and weight errors by linear."""
    arguments = ["verify", directory, "-o", "json"] + (["--source", source] if source else [])
    result = heroq(*arguments, check=False)
    assert result.returncode in (0, 1, 8), result.stderr
    response = json.loads(result.stdout)
    errors = {entry["linear"]: entry["weight_error"] for entry in response["weight_errors"]}
    return result.returncode, response["findings"], errors


def assert_found(directory, rule, place, source=None):
    """Exit code 1, and a finding of `rule` that names `place`, a tensor or a file."""
    code, findings, _ = verify(directory, source)
    named = [(finding["rule"], finding["tensor"], finding["file"]) for finding in findings]
    assert any(found[0] == rule and place in found[1:] for found in named), f"no {rule} {place} in {named}"
    assert all(finding["expected"] for finding in findings)
    assert code == 1
