"""Random page content: words in inline and block markup, nested as pages nest it, and the words a reader sees."""

from __future__ import annotations

from dataclasses import dataclass, field
from html import escape

from hypothesis import strategies as st

INLINE = "a abbr b em span strong sup time".split()
SEPARATE = frozenset(
    "p div section article aside blockquote details summary h2 h3 h4 ul ol li dl dt dd table caption thead tbody tr td "
    "th br pre gcds-container".split()
)


@dataclass
class Node:
    """An element with content, or a text (``tag`` is empty)."""

    tag: str
    text: str = ""
    children: list[Node] = field(default_factory=list)
    identifier: str = ""
    classes: str = ""


def html_of(node: Node) -> str:
    if not node.tag:
        return escape(node.text)
    if node.tag == "br":
        return "<br>"
    written = f' id="{node.identifier}"' if node.identifier else ""
    written += f' class="{node.classes}"' if node.classes else ""
    written += f' href="#{node.identifier}x"' if node.tag == "a" else ""
    return f"<{node.tag}{written}>{''.join(map(html_of, node.children))}</{node.tag}>"


def tokens_of(nodes: list[Node]) -> list[str]:
    """The words as a reader sees them: blocks and line breaks part words, inline markup does not."""

    def text(node: Node) -> str:
        inside = node.text + "".join(map(text, node.children))
        return f" {inside} " if node.tag in SEPARATE else inside

    return "".join(map(text, nodes)).split()


def page_of(content: str) -> str:
    """A page that keeps the contract, around some content."""
    return f"""<!doctype html><html lang="en"><head><title>Any page - Canada.ca</title>
<link rel="alternate" hreflang="fr" href="https://www.canada.ca/fr/secretariat-conseil-tresor/page.html"></head>
<body><main property="mainContentOfPage"><h1 id="wb-cont">Any page</h1>
<p>{INTRODUCTION}</p>{content}
<section class="pagedetails"><gcds-date-modified>2026-01-09</gcds-date-modified></section></main></body></html>"""


INTRODUCTION = "Enough text beside the heading for a page that is not empty."


class _Writer:
    """Draws content part by part; every word is another one."""

    def __init__(self, draw: st.DrawFn) -> None:
        self.draw = draw
        self.count = 0

    def content(self, depth: int, most: int) -> list[Node]:
        return [node for _ in range(self.number(0, most)) for node in self.block(depth)]

    def block(self, depth: int) -> list[Node]:
        simple = {
            "p": lambda: Node("p", children=self.phrase(), identifier=self.name()),
            "pre": lambda: Node("pre", children=self.phrase(), identifier=self.name()),
            "heading": lambda: self.heading(self.one_of("h2 h3 h4")),
            "list": lambda: self.listing(2),
            "table": self.table,
            "terms": lambda: Node(
                "dl",
                children=[Node(tag, children=self.phrase()) for _ in range(self.number(1, 2)) for tag in ("dt", "dd")],
            ),
        }
        kind = self.one_of("p p text heading list table terms pre wrapper details")
        if kind in simple:
            return [simple[kind]()]
        if kind == "text" or not depth:
            return self.phrase()
        if kind == "details":
            inside = [self.heading("summary"), *self.content(depth - 1, 4)]
            return [Node("details", children=inside, identifier=self.name())]
        tag, classes = (
            self.one_of("div section article aside blockquote gcds-container"),
            self.one_of("plain well alert"),
        )
        return [Node(tag, children=self.content(depth - 1, 4), identifier=self.name(), classes=classes)]

    def phrase(self) -> list[Node]:
        """Words, inline elements and line breaks, some of them right beside one another."""
        nodes = []
        for _ in range(self.number(0, 4)):
            kind = self.one_of("word word inline br space")
            space = self.draw(st.sampled_from(["", " ", "\u00a0", "\n\t"]))
            if kind == "inline":
                tag = self.draw(st.sampled_from(INLINE))
                nodes.append(Node(tag, children=[Node("", self.word() + space)], identifier=self.name()))
            elif kind == "br":
                nodes.append(Node("br"))
            else:
                nodes.append(Node("", space + self.word() if kind == "word" else space))
        return nodes

    def listing(self, depth: int) -> Node:
        items = []
        for _ in range(self.number(1, 3)):
            inside = [self.listing(depth - 1), *self.phrase()] if depth and self.number(0, 1) else []
            items.append(Node("li", children=self.phrase() + inside, identifier=self.name()))
        return Node(self.one_of("ul ol"), children=items, identifier=self.name())

    def table(self) -> Node:
        rows = [Node("tr", children=[self.cell() for _ in range(self.number(1, 3))]) for _ in range(self.number(1, 3))]
        caption = [Node("caption", children=self.phrase())] if self.number(0, 1) else []
        return Node("table", children=[*caption, Node("tbody", children=rows)])

    def cell(self) -> Node:
        return Node("td", children=self.phrase(), identifier=self.name())

    def heading(self, tag: str) -> Node:
        return Node(tag, children=[Node("", self.word()), *self.phrase()], identifier=self.name())

    def word(self) -> str:
        number, letters = self.count, ""
        self.count += 1
        while number or not letters:
            number, digit = divmod(number, 20)
            letters += "bcdfghjklmnpqrstvwxz"[digit]
        return f"wo{letters}"

    def name(self) -> str:
        self.count += 1
        return "" if self.number(0, 4) else f"n-{self.count}"

    def number(self, least: int, most: int) -> int:
        return self.draw(st.integers(least, most))

    def one_of(self, words: str) -> str:
        return self.draw(st.sampled_from(words.split()))


@st.composite
def content_trees(draw: st.DrawFn) -> list[Node]:
    """Content whose words are all different."""
    return _Writer(draw).content(3, 6)
