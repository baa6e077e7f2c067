"""What others have written for CPython: Debian's packages, in use and as garbage."""

import importlib


def numpy_things():
    import numpy
    a = numpy.arange(1000).reshape(10, 100)
    objects = numpy.array([[1], {2: 3}, None], dtype=object)
    record = numpy.zeros(3, dtype=[("x", "i4"), ("y", "f8")])
    return [a, a[2:4], a.T, a.flat, objects, record, record.dtype, numpy.float64(3.5), numpy.random.RandomState(1),
            numpy.ma.array([1, 2], mask=[0, 1]), numpy.nditer(a), numpy.vectorize(lambda x: x), numpy.poly1d([1, 2])]


def lxml_things():
    from lxml import etree, objectify
    root = etree.fromstring(b"<a><b x='1'>t</b><c/><!-- d --></a>")
    return [root, list(root), root.getroottree(), etree.XPath("//b"), etree.XMLParser(), root.attrib, root.iter(),
            objectify.fromstring(b"<a><b>1</b></a>"), etree.XSLT(etree.XML(
                b"<x:stylesheet version='1.0' xmlns:x='http://www.w3.org/1999/XSL/Transform'/>"))]


def sqlalchemy_things():
    import sqlalchemy as sa
    from sqlalchemy import orm
    Base = orm.declarative_base()

    class Parent(Base):
        __tablename__ = "parent"
        id = sa.Column(sa.Integer, primary_key=True)
        children = orm.relationship("Child", backref="parent")

    class Child(Base):
        __tablename__ = "child"
        id = sa.Column(sa.Integer, primary_key=True)
        parent_id = sa.Column(sa.ForeignKey("parent.id"))

    engine = sa.create_engine("sqlite://")
    Base.metadata.create_all(engine)
    session = orm.Session(engine)
    session.add(Parent(children=[Child(), Child()]))
    session.commit()
    return [Base, engine, session, session.query(Parent).all(), sa.select(Parent).where(Parent.id == 1)]


def django_things():
    import django
    from django.conf import settings
    if not settings.configured:
        settings.configure(DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
                           INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth"],
                           TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates"}])
        django.setup()
    from django import forms
    from django.contrib.auth.models import User
    from django.template import engines

    class Form(forms.Form):
        name = forms.CharField()

    return [User(username="u"), User.objects.filter(username="u"), Form({"name": "n"}),
            engines["django"].from_string("{% for x in y %}{{ x }}{% endfor %}")]


THINGS = {"numpy": numpy_things, "lxml": lxml_things, "sqlalchemy": sqlalchemy_things, "django": django_things}


def populate(*names):
    kept = []
    for name in names:
        importlib.import_module(name)
        kept.append(THINGS[name]())
        ring = [THINGS[name]()]
        ring.append(ring)
    return kept
