"""A page of the report, read back: for its tests, and for those in a browser."""

import html.parser

VOID = {"meta", "link", "br", "input", "hr", "img"}


class Element:
    def __init__(self, name, attributes, parent):
        self.name, self.attributes, self.parent = name, attributes, parent
        self.children = []

    @property
    def text(self):
        return "".join(c if isinstance(c, str) else c.text for c in self.children)

    def all(self, name=None, cls=None):
        """Elements below, in the order of the page."""
        for child in self.children:
            if isinstance(child, str):
                continue
            if (name is None or child.name == name) and (cls is None or cls in child.attributes.get("class", "").split()):
                yield child
            yield from child.all(name, cls)

    def first(self, name=None, cls=None):
        return next(self.all(name, cls))


class Page(html.parser.HTMLParser):
    """A whole page. Tags that are not closed in turn, and an id that occurs twice, are errors."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.source = text
        self.root = self.at = Element("", {}, None)
        self.by_id = {}
        self.feed(text)
        self.close()
        if self.at is not self.root:
            raise AssertionError("<%s> is not closed" % self.at.name)

    def handle_starttag(self, name, attributes):
        if len({k for k, _ in attributes}) != len(attributes):
            raise AssertionError("an attribute of <%s> occurs twice" % name)
        element = Element(name, dict(attributes), self.at)
        self.at.children.append(element)
        number = element.attributes.get("id")
        if number:
            if number in self.by_id:
                raise AssertionError("the id %s occurs twice" % number)
            self.by_id[number] = element
        if name not in VOID:
            self.at = element

    def handle_startendtag(self, name, attributes):
        self.handle_starttag(name, attributes)
        if name not in VOID:
            self.handle_endtag(name)

    def handle_endtag(self, name):
        if self.at.name != name:
            raise AssertionError("</%s> closes <%s> at %s" % (name, self.at.name, self.getpos()))
        self.at = self.at.parent

    def handle_data(self, data):
        self.at.children.append(data)

    def unknown_decl(self, data):
        raise AssertionError("a declaration: " + data)

    def all(self, name=None, cls=None):
        return self.root.all(name, cls)

    def table(self, number):
        """The rows of a table: dicts by the column's key, numbers as such, None for what is missing; texts otherwise."""
        table = self.by_id[number]
        keys = [th.attributes["data-k"] for th in table.first("thead").all("th")]
        rows = []
        for tr in table.first("tbody").all("tr"):
            cells = list(tr.all("td"))
            assert len(cells) == len(keys), number
            rows.append({k: self.value(c) for k, c in zip(keys, cells)})
        return rows

    @staticmethod
    def value(cell):
        if "data-v" in cell.attributes:
            return int(cell.attributes["data-v"])
        return None if "n" in cell.attributes.get("class", "").split() else cell.text
