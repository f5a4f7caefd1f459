"""What a page holds, read with the standard library alone: tests of the report compare it with numbers and files."""

import dataclasses
from html.parser import HTMLParser

REPORTED = ("curves", "collapse_rate", "predictions", "noise")
"""The figures of the report that the tests share, of which one cannot be filled: each takes a second."""
VOID = {"meta", "link", "br", "img", "hr", "input"}


@dataclasses.dataclass
class Shown:
    """A number on the page: where it is, what scripts read, what people read, and what it says it is made from."""

    place: str
    value: str
    title: str
    text: str = ""


class Page(HTMLParser):
    """A parsed page; `place` of a number is its table's identifier, or its section's."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.numbers, self.links, self.identifiers, self.tags, self.open = [], [], [], [], []
        self.texts = {}
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        own = dict(attrs)
        self.tags.append((tag, own))
        self.identifiers += [own["id"]] if "id" in own else []
        self.links += [
            value for name, value in attrs if name.split(":")[-1] in ("href", "src", "action", "srcset", "data")
        ]
        if tag not in VOID:
            self.open.append((tag, own.get("id")))
        if tag == "data":
            self.numbers.append(Shown(self.place(), own["value"], own["title"]))

    def handle_endtag(self, tag):
        while self.open and self.open.pop()[0] != tag:
            pass

    def handle_data(self, data):
        if any(tag == "data" for tag, _ in self.open):
            self.numbers[-1].text += data
        if self.open:
            self.texts[self.open[-1][0]] = self.texts.get(self.open[-1][0], "") + data

    def place(self):
        """The innermost table or section that is open."""
        return next((name for tag, name in reversed(self.open) if tag in ("table", "section") and name), "")
