"""The Markdown page as one HTML file, for light and dark screens of any width."""

from collections.abc import Sequence
from html import escape
from importlib import import_module
from string import Template
from typing import Any

STYLE = """
:root { color-scheme: light dark; --text: #1f2328; --page: #fff; --line: #d1d9e0; --faint: #59636e;
  --band: #f6f8fa; --link: #0b5cad; }
@media (prefers-color-scheme: dark) { :root { --text: #e6edf3; --page: #0d1117; --line: #3d444d;
  --faint: #9aa4af; --band: #151b23; --link: #58a6ff; } }
body { margin: 0 auto; max-width: 84rem; padding: 1rem; color: var(--text); background: var(--page);
  font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: break-word; }
h1, h2, h3 { line-height: 1.25; margin: 2.2rem 0 .8rem; }
h2 { border-bottom: 1px solid var(--line); padding-bottom: .3rem; }
p, nav, ul { max-width: 50rem; }
a { color: var(--link); }
picture { display: block; overflow-x: auto; }
picture img { max-width: max(100%, 36rem); height: auto; }
.scroll { overflow-x: auto; max-width: 100%; margin: 1rem 0; }
.scroll:focus-visible { outline: 2px solid var(--link); }
.note { font-size: .875rem; color: var(--faint); margin: .4rem 0; }
table { border-collapse: collapse; font-size: .875rem; font-variant-numeric: tabular-nums; }
th, td { border: 1px solid var(--line); padding: .3rem .6rem; white-space: nowrap; }
thead th { background: var(--band); white-space: normal; vertical-align: bottom; }
tbody th { font-weight: normal; text-align: left; }
tbody td:last-child { white-space: normal; min-width: 11rem; }
tr:target, tr:has(:target) { background: var(--band); outline: 2px solid var(--link); }
code, pre { font: .85em ui-monospace, monospace; }
pre { background: var(--band); padding: .8rem; overflow-x: auto; }
""".strip()
SHELL = Template(
    """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>$title</title>
<style>
$style
</style>
</head>
<body>
<main>
$body</main>
</body>
</html>
"""
)


def to_html(markdown: str) -> str:
    r"""Return a page: headings can be linked to, tables say what is head and scroll by themselves.

    Raises
    ------
    ImportError
        If markdown-it-py is not installed.

    Examples
    --------
    >>> page = to_html("# Sizes\n\n| a | b |\n|:--|--:|\n| x | 1 |\n")
    >>> '<th scope="row" style="text-align:left">x</th>' in page, "<title>Sizes</title>" in page
    (True, True)
    """
    parser: Any = import_module("markdown_it").MarkdownIt("commonmark").enable("table")
    tokens = parser.parse(markdown)
    headings = _mark_headings(tokens)
    marked = _mark_tables(tokens, headings)
    body = parser.renderer.render(marked, parser.options, {})
    contents = "".join(
        f'<li><a href="#{slug}">{escape(text)}</a></li>\n'
        for level, slug, text in headings.values()
        if level == 2
    )
    first, rest = body.partition("<h2")[::2]
    nav = f'<nav aria-label="Contents">\n<ul>\n{contents}</ul>\n</nav>\n' if contents else ""
    title = next((text for level, _, text in headings.values() if level == 1), "")
    whole = f"{first}{nav}<h2{rest}" if rest else first
    return SHELL.substitute(title=escape(title), style=STYLE, body=whole)


def _mark_headings(tokens: Sequence[Any]) -> dict[int, tuple[int, str, str]]:
    """Give each heading an id; return level, id and text by the number of the token."""
    found: dict[int, tuple[int, str, str]] = {}
    for number, token in enumerate(tokens):
        if token.type == "heading_open":
            text = tokens[number + 1].content
            words = "".join(c if c.isalnum() else " " for c in text.lower()).split()
            slug, taken = "-".join(words), {slug for _, slug, _ in found.values()}
            while slug in taken:
                slug += "-again"
            token.attrSet("id", slug)
            found[number] = (int(token.tag[1]), slug, text)
    return found


def _mark_tables(tokens: Sequence[Any], headings: dict[int, tuple[int, str, str]]) -> list[Any]:
    """Return the tokens with tables in boxes that scroll, heads for rows, notes marked as such."""
    token_of: Any = import_module("markdown_it.token").Token
    marked: list[Any] = []
    is_body, is_first, is_below, heading = False, False, False, ""
    for number, token in enumerate(tokens):
        heading = headings[number][1] if number in headings else heading
        is_body = {"tbody_open": True, "tbody_close": False}.get(token.type, is_body)
        is_first = is_first or token.type == "tr_open"
        ends = token.type in ("heading_open", "html_block")
        is_below = (is_below or token.type == "table_close") and not ends
        if token.type == "paragraph_open" and is_below:
            token.attrSet("class", "note")
        if token.type == "table_open":
            box = f'<div class="scroll" role="region" aria-labelledby="{heading}" tabindex="0">\n'
            marked.append(token_of("html_block", "", 0, content=box))
        elif token.type == "th_open":
            token.attrs = {"scope": "col", **token.attrs}
        elif token.type == "td_open" and is_first and is_body:
            token.tag, token.attrs = "th", {"scope": "row", **token.attrs}
        elif token.type == "td_close" and is_first:
            token.tag, is_first = "th", False
        marked.append(token)
        if token.type == "table_close":
            marked.append(token_of("html_block", "", 0, content="</div>\n"))
        is_first = is_first and token.type != "tr_close"
    return marked
