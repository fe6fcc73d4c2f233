"""Names from anywhere as names, literals and comments of Python and as Markdown, so that no header becomes code."""

from __future__ import annotations

import html
import keyword
import re
import unicodedata
from collections.abc import Iterable

LONGEST = 40
"""Characters of a name made from a header."""


def slug(text: str) -> str:
    """A lower-case Python identifier that reads like the text.

    >>> slug("Temp (°C)"), slug("class"), slug("2nd offer"), slug("価格"), slug('"; import os')
    ('temp_c', 'class_', 'n_2nd_offer', 'column', 'import_os')
    """
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    name = re.sub(r"[^a-z0-9]+", "_", plain).strip("_")[:LONGEST].strip("_") or "column"
    name = f"n_{name}" if name[0].isdigit() else name
    return f"{name}_" if keyword.iskeyword(name) or keyword.issoftkeyword(name) else name


def slugs(texts: Iterable[str], taken: Iterable[str] = ()) -> list[str]:
    """Slugs of several texts, each once; a repeated one is numbered.

    >>> slugs(["a b", "a-b", "A B"])
    ['a_b', 'a_b_2', 'a_b_3']
    """
    used, found = set(taken), []
    for text in texts:
        name = first = slug(text)
        number = 2
        while name in used:
            name, number = f"{first}_{number}", number + 1
        used.add(name)
        found.append(name)
    return found


def literal(text: str) -> str:
    r"""A Python string that is exactly the text; what cannot be printed is escaped.

    >>> print(literal("größe"), literal('a "b"'), literal("a\nb"), literal("it's \\"))
    "größe" 'a "b"' "a\nb" "it's \\"
    """
    quote = "'" if text.count('"') > text.count("'") else '"'
    told = "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in text.replace("\\", "\\\\"))
    return f"{quote}{told.replace(quote, chr(92) + quote)}{quote}"


def remark(text: str) -> str:
    """A text as part of one line of a comment or a sentence: printable, no line breaks, quotes or backslashes."""
    told = "".join(letter if letter.isprintable() else " " for letter in text)
    return re.sub(r"[\"'\\{}]", "", told)[:LONGEST].strip() or "?"


def one_line(text: str) -> str:
    r"""A text on one line, as a terminal may be given it; what cannot be printed is a space.

    >>> one_line("two\n lines \x1b[2J")
    'two lines [2J'
    """
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())


def markdown(text: str) -> str:
    r"""A text that reads as itself in Markdown, also in the cell of a table: no markup, no link, no HTML.

    >>> print(markdown("a|b"), markdown("<script>"), markdown("[x](javascript:y)"), markdown("box_size *"))
    a\|b &lt;script&gt; \[x\](javascript:y) box_size \*
    """
    safe = html.escape(one_line(text).replace("\\", "\\\\"), quote=False)
    return re.sub(r"[`*\[\]|~]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])", r"\\\g<0>", safe)
