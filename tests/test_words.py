"""Tests that the names and the module docstrings of the product keep to the section "Plain words" of the design.

They find what a program can find: a public name with two meanings, a module whose docstring is only a phrase, and some
words that say nothing. Whether a name is good is for people to judge.
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGE = Path(__file__).parent.parent / "edge"
TREES = {str(file.relative_to(PACKAGE)): ast.parse(file.read_text(encoding="utf-8")) for file in PACKAGE.rglob("*.py")}

# Every module names its logger so.
DEFINED_EVERYWHERE = {"log"}

# Words that no name may have, and names that say nothing as a whole.
FORBIDDEN_WORDS = {"told", "thing", "things", "whoever"}
FORBIDDEN_NAMES = {"one"}

FEWEST_WORDS = 5
# A docstring is a sentence when it has one of these forms:
# - a verb and its object: "Reads a file ...". The first word ends with s, and the next word is none of those that
#   follow a noun in the plural ("Floors and events ...", "Options of commands ...");
# - a subject of SUBJECTS and a word that ends with s: "This module checks ...", "``smartpark run`` starts ...", where
#   X stands for the code;
# - a verb of AUXILIARIES anywhere, but behind a relative pronoun ("the lock that is held").
# The form does not prove a sentence, but it rejects the phrases that people write.
FOLLOWS_A_NOUN = {
    *("and", "as", "at", "beside", "between", "by", "for", "from", "in", "into", "of", "on", "or", "that", "to"),
    *("with", "whose"),
}
SUBJECTS = {"module", "package", "room", "edge", "it", "x"}
AUXILIARIES = {
    *("is", "are", "was", "were", "has", "have", "had", "does", "do", "did", "can", "could", "may", "might", "must"),
    *("shall", "should", "will", "would"),
}
RELATIVE_PRONOUNS = {"that", "which", "who", "what"}
# A docstring that begins so is a clause without its sentence.
NO_BEGINNINGS = {"how", "what", "when", "where", "whether", "which", "who", "why"}


def names_defined(tree: ast.Module) -> Iterator[str]:
    """The public names that a module defines at its top level, without those that it imports."""
    for node in tree.body:
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                yield name
            case ast.Assign(targets=targets):
                for target in targets:
                    yield from (part.id for part in ast.walk(target) if isinstance(part, ast.Name))
            case ast.AnnAssign(target=ast.Name(id=name)):
                yield name


def identifiers(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Line and text of every identifier that a module defines or uses: names, parameters, attributes, keywords."""
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name) | ast.Attribute(attr=name) | ast.arg(arg=name) | ast.alias(asname=str(name)):
                yield node.lineno, name
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                yield node.lineno, name
            case ast.keyword(arg=str(name)):
                yield node.lineno, name


def words_of(identifier: str) -> list[str]:
    """The words of an identifier in snake or camel case, in lower case."""
    return [word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+", identifier)]


def is_sentence(docstring: str) -> bool:
    """Whether the first paragraph has enough words, the form of a sentence, and a full stop or colon at its end."""
    paragraph = docstring.strip().split("\n\n")[0]
    text = re.sub(r"``[^`]*``", "X", paragraph).lower()
    words = re.findall(r"[a-z][a-z'-]*|[,:;]", text)
    if len(words) < FEWEST_WORDS or not paragraph.endswith((".", ":")) or words[0] in NO_BEGINNINGS:
        return False
    if words[1] == "and" and words[2].endswith("s"):  # "Reads and writes a file ..."
        words = [words[0], *words[3:]]
    if words[0].endswith("s") and words[1][0].isalpha() and words[1] not in FOLLOWS_A_NOUN:
        return True
    return any(
        (before in SUBJECTS and word.endswith("s")) or (word in AUXILIARIES and before not in RELATIVE_PRONOUNS)
        for before, word in pairwise(words)
    )


def test_no_public_name_is_defined_twice() -> None:
    """A public name means one thing in the whole of the product."""
    places: dict[str, list[str]] = defaultdict(list)
    for file, tree in TREES.items():
        for name in set(names_defined(tree)):
            if not name.startswith("_") and name not in DEFINED_EVERYWHERE:
                places[name].append(file)
    assert {name: sorted(files) for name, files in places.items() if len(files) > 1} == {}


@pytest.mark.parametrize("file", sorted(TREES))
def test_a_module_docstring_is_a_sentence(file: str) -> None:
    """It says what the module does, with a subject and a verb, and not only what it is about."""
    docstring = ast.get_docstring(TREES[file])
    assert docstring is not None, f"edge/{file} has no docstring"
    assert is_sentence(docstring), f"edge/{file}: only a phrase: {docstring.splitlines()[0]}"


@pytest.mark.parametrize("file", sorted(TREES))
def test_names_have_no_words_that_say_nothing(file: str) -> None:
    """`told` does not say what is reported, and `one` not whether it is a track, a detection or a row."""
    found = [
        f"line {line}: {name}"
        for line, name in identifiers(TREES[file])
        if name in FORBIDDEN_NAMES or FORBIDDEN_WORDS & set(words_of(name))
    ]
    assert found == [], f"edge/{file}"


@pytest.mark.parametrize(
    ("docstring", "sentence"),
    [
        ("Reads a file, and reports all of its errors.", True),
        ("This module checks tables against each other.", True),
        ("Counts the vehicles that cross a gate.", True),
        ("Writes and reads observations as JSON Lines.", True),
        ("``smartpark status`` shows the floors, and the last event.", True),
        ("The machine: systemd, clock, logs, instance lock, problems.", False),
        ("Options that several commands share, and how they print", False),
        ("Reads a file.", False),
        ("Does the database agree with its ledger?", False),
        ("Floors and events to try commands with.", False),
        ("Whether this machine's wall clock is right, as the kernel sees it.", False),
        ("A lock on the database that is held by one process.", False),
        ("One camera's thread: frames, boxes, tracks, counts and runs.", False),
    ],
)
def test_a_sentence_differs_from_a_phrase(docstring: str, sentence: bool) -> None:
    """A sentence has a finite verb; a plural noun that looks like one is no verb without a subject."""
    assert is_sentence(docstring) is sentence
