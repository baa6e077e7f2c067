"""A heap with instances of more than three hundred types of the standard library, in the states that matter to who reads it.

build() returns what keeps them alive. It runs on CPython 3.8 to 3.13, needs no network, starts no process, and makes the same
objects every time. Types that a version or a build does not have are left out; whatever else fails is a failure.
"""

import gc
import sys
import types


class Plain:
    def __init__(self, *values):
        for i, value in enumerate(values):
            setattr(self, "field%d" % i, value)


class Slots:
    __slots__ = ("left", "right", "missing")

    def __init__(self, left, right):
        self.left, self.right = left, right


class SlotsAndDict(Slots):
    __slots__ = ("more", "__dict__", "__weakref__")


class Meta(type):
    def __call__(cls, *args):
        return super().__call__(*args)


class WithMeta(metaclass=Meta):
    shared = [1, 2]


class Finalized:
    def __del__(self):
        pass


def made(module, *recipes):
    """What the recipes make of a module's names: (name, arguments...) or a callable of the module. A name that is not there is
    left out."""
    try:
        found = __import__(module, fromlist=["*"])
    except ImportError:
        return []
    objects = []
    for recipe in recipes:
        if callable(recipe):
            objects.append(recipe(found))
        elif hasattr(found, recipe[0]):
            objects.append(getattr(found, recipe[0])(*recipe[1:]))
    return objects


# ---- builtins ----

def dicts():
    combined = {"a": 1, "b": [2]}
    mixed = {1: "one", (2, 3): {"four": 5}, "five": None, 6.0: b"six"}
    holes = {i: str(i) for i in range(100)}
    for i in range(0, 100, 3):
        del holes[i]
    str_holes = {"key%d" % i: [i] for i in range(40)}
    for i in range(0, 40, 2):
        del str_holes["key%d" % i]
    cleared = {"a": 1}
    cleared.clear()
    large = {i: None for i in range(70000)}  # indices of 32 bits
    wide = {"name%d" % i: (i, [i]) for i in range(300)}

    class Key(str):
        pass

    return [combined, mixed, holes, str_holes, cleared, {}, large, wide, {Key("k"): 1}, {"a": {"b": {"c": {}}}},
            combined.keys(), combined.values(), combined.items(), iter(combined), iter(mixed.values()), iter(holes.items()),
            reversed(combined), types.MappingProxyType(combined), dict.fromkeys("abc", [])]


def instances():
    many = [Plain(i, [i]) for i in range(40)]
    shaped = Plain()
    for i in range(45):  # more than a class's shared keys take
        setattr(shaped, "attribute%d" % i, i)
    removed = Plain(1, 2, 3)
    del removed.field1
    materialised = Plain("a", "b")
    materialised.__dict__["c"] = materialised
    swapped = Plain(1)
    swapped.__dict__ = {"other": [1]}
    numbered = Plain()
    numbered.__dict__[5] = "five"
    both = SlotsAndDict([1], {2: 3})
    both.more = both.other = [4]
    meta = WithMeta()
    meta.own = {}
    finalized = Finalized()
    finalized.self = [1]

    class Local(Plain, dict):
        pass

    class Tuple(tuple):
        pass

    class SlotTuple(tuple):
        __slots__ = ()

    class List(list):
        __slots__ = ("extra",)

    class Int(int):
        pass

    class Text(str):
        pass

    class Error(ValueError):
        pass

    class Set(set):
        pass

    local = Local(1)
    local["key"] = [2]
    extra = List([1, [2]])
    extra.extra = {"more": 1}
    odd = Int(2 ** 80)
    odd.note = []
    text = Text("text")
    text.note = []
    tuple_ = Tuple([[1], 2])
    tuple_.note = []
    error = Error([1], "two")
    error.note = {}
    set_ = Set([(1, 2)])
    set_.note = []
    return many + [shaped, removed, materialised, swapped, numbered, Slots([1], None), both, meta, finalized, local, extra,
                   odd, text, tuple_, SlotTuple([[]]), error, set_, Local, Tuple, List, type("Made", (Plain,), {"x": []})]


def sequences():
    holes = {object() for _ in range(200)}
    for item in list(holes)[::2]:
        holes.discard(item)
    untracked = [(1, "a", None), ((1, 2), 3)]
    shared = [[]] * 50
    grown = list(range(10))
    del grown[5:]
    self_held = []
    self_held.append(self_held)
    return [holes, set(), {1, "a", (2, [].__len__)}, frozenset([(1,), frozenset()]), untracked, shared, grown, self_held,
            [[]] + [1] * 100000, [None] * 5000, (), ([],), tuple([i] for i in range(100)), iter([1, [2]]), iter(([],)),
            reversed([1, []]), iter({1, 2}), iter("text"), iter("t\u00e9xt"), iter(b"bytes"), iter(bytearray(b"b")), range(10),
            range(2 ** 70), iter(range(5)), iter(range(2 ** 70)), slice(1, [2], None), enumerate([1, []]), zip([1], [[]]),
            map(len, [[]]), filter(None, [[]]), iter(lambda: 1, []), memoryview(b"bytes"), memoryview(bytearray(b"12345678")),
            memoryview(bytearray(8)).cast("Q"), bytearray(b"array"), bytearray(1000), b"bytes", "text", "t\u00e9xt",
            "t\u4e00xt", "t\U0001f600xt", 1, -1, 2 ** 70, -2 ** 300, 1.5, 1j, True, None, Ellipsis, NotImplemented, object()]


def functions():
    cell_value = []

    def closed(a, b=[1], *args, c={}, **more):
        return cell_value, a, b, args, c, more

    def annotated(a: "int", b: list = None) -> dict:
        """A document."""

    def later():
        return never  # a free variable without a value

    closed.attribute = [closed]
    bound = Plain(1).__init__
    if len(sys.argv) > 999:
        never = 1
    lambda_ = lambda x=[]: x  # noqa: E731

    class Descriptors:
        @property
        def value(self):
            return 1

        @classmethod
        def of(cls):
            return cls

        @staticmethod
        def alone():
            return 1

        def method(self):
            return super().__repr__()

    return [closed, annotated, later, lambda_, bound, closed.__closure__, closed.__code__, Descriptors, Descriptors().method,
            Descriptors.of, vars(Descriptors)["value"], vars(Descriptors)["of"], vars(Descriptors)["alone"], len, [].append,
            "".join, list.append, dict.fromkeys, list.__len__, [].__len__, int.real, types.FunctionType.__code__, type.__call__,
            super(Plain, Plain()), property(len, None, None, "text"), classmethod(len), staticmethod(closed),
            types.MethodType(len, []), types.SimpleNamespace(a=[1], b={}), types.CellType([]) if hasattr(types, "CellType") else 0,
            types.ModuleType("made", "A document."), sys.implementation, sys.flags, sys.version_info, sys.float_info]


def running():
    def generator(n):
        held = [n]
        for i in range(n):
            got = yield held, i
            held.append(got)

    def delegating():
        inner = generator(3)
        yield from inner

    async def coroutine():
        held = {}
        await suspended()
        return held

    @types.coroutine
    def suspended():
        yield [1]

    async def asynchronous():
        held = [1]
        yield held
        yield held

    class Manager:
        def __enter__(self):
            return [self]

        def __exit__(self, *args):
            return None

    def inside_with():
        with Manager() as held:
            yield held

    def inside_handler():
        try:
            raise ValueError([1])
        except ValueError as error:
            yield error

    fresh, begun, deep = generator(3), generator(3), delegating()
    next(begun)
    begun.send(begun)
    next(deep)
    finished = generator(0)
    list(finished)
    withs, handler = inside_with(), inside_handler()
    next(withs)
    next(handler)
    waiting = coroutine()
    waiting.send(None)
    agen = asynchronous()
    ahead = agen.asend(None)
    try:
        ahead.send(None)
    except StopIteration:
        pass
    pending = asynchronous().asend([1])
    expression = ([x] for x in [[1], [2]])
    next(expression)
    wrapper = coroutine().__await__()
    wrapper.send(None)
    closing = asynchronous().aclose()
    return [fresh, begun, deep, finished, withs, handler, waiting, agen, ahead, pending, expression, wrapper, closing,
            begun.gi_frame, waiting.cr_frame, deep.gi_yieldfrom]


def exceptions():
    def fail(depth, held):
        if depth:
            return fail(depth - 1, [held])
        raise KeyError("key", held)

    caught = []
    try:
        fail(3, [])
    except KeyError as error:
        caught.append(error)
        try:
            raise RuntimeError("second") from error
        except RuntimeError as second:
            caught.append(second)
    try:
        try:
            1 / 0
        except ZeroDivisionError:
            [].missing
    except AttributeError as error:
        caught.append(error)
    try:
        undefined_name  # noqa: B018, F821
    except NameError as error:
        caught.append(error)
    try:
        import there_is_no_such_module  # noqa: F401
    except ImportError as error:
        caught.append(error)
    try:
        compile("a b", "file", "exec")
    except SyntaxError as error:
        caught.append(error)
    try:
        open("/there/is/no/such/file")
    except OSError as error:
        caught.append(error)
    try:
        b"\xff".decode()
    except UnicodeDecodeError as error:
        caught.append(error)
    try:
        "\xff".encode("ascii")
    except UnicodeEncodeError as error:
        caught.append(error)
    plain = [kind(*arguments) for kind, arguments in (
        (StopIteration, ([1],)), (SystemExit, ([2],)), (KeyboardInterrupt, ()), (BaseException, ([3],)), (Exception, ()),
        (OSError, (2, "no", "file", None, "other")), (UnicodeTranslateError, ("text", 0, 1, "why")), (MemoryError, ()),
        (RecursionError, ()), (BlockingIOError, (1, "no", 3)), (Warning, ()), (EOFError, ()), (AssertionError, ([4],)),
        (IndexError, ()), (LookupError, ()), (OverflowError, ()), (FloatingPointError, ()), (BufferError, ()),
        (ReferenceError, ()), (NotImplementedError, ()), (StopAsyncIteration, ([5],)), (TimeoutError, ()),
        (DeprecationWarning, ()), (UserWarning, ()), (IndentationError, ("bad", ("f", 1, 2, "t"))))]
    if hasattr(__builtins__, "ExceptionGroup") or sys.version_info >= (3, 11):
        group = eval("ExceptionGroup('several', [ValueError([1]), TypeError('x')])")
        group.add_note("a note")
        plain.append(group)
    return caught + plain + [caught[0].__traceback__, caught[0].__traceback__.tb_frame, caught[0].__traceback__.tb_next]


# ---- the standard library ----

def weak():
    import weakref
    target, other = Plain(1), Plain(2)
    keys, values, members = weakref.WeakKeyDictionary(), weakref.WeakValueDictionary(), weakref.WeakSet()
    keys[target] = [other]
    values["name"] = target
    members.add(target)
    with_callback = weakref.ref(target, lambda r: None)
    dead = weakref.ref(Plain(3))
    return [target, other, keys, values, members, with_callback, dead, weakref.ref(target), weakref.proxy(target),
            weakref.proxy(dict.fromkeys), weakref.WeakMethod(target.__init__), weakref.finalize(target, dict, [], key=2),
            weakref.ref(Plain), weakref.KeyedRef(other, None, "key"), weakref.ref({1}.__class__)]


def containers():
    import collections
    import functools
    import itertools
    import operator
    point = collections.namedtuple("point", "x y")
    blocks = collections.deque(range(300))
    for _ in range(70):
        blocks.popleft()
    wrapped = collections.deque([[1]], 5)
    wrapped.extend([[2], {}, ()])
    ordered = collections.OrderedDict((("a", [1]), ("b", {}), (3, "c")))
    ordered["self"] = ordered
    moved = collections.OrderedDict.fromkeys("abcdef")
    moved.move_to_end("b")
    del moved["c"]

    @functools.lru_cache(maxsize=3)
    def cached(*args, **more):
        return [args]

    @functools.lru_cache(maxsize=None)
    def unbounded(x):
        return [x]

    for i in range(5):
        cached(i, key=i)
        cached("text")
        unbounded(i)
    unbounded("text")

    class Computed:
        @functools.cached_property
        def value(self):
            return [self]

    computed = Computed()
    computed.value
    tee = itertools.tee([[1], [2], [3]])
    next(tee[0])
    groups = itertools.groupby([[1], [1], [2]], key=len)
    group = next(groups)
    cycle = itertools.cycle([[1], [2]])
    next(cycle)
    product = itertools.product([[1]], [[2], [3]])
    next(product)
    combinations = itertools.combinations([[1], [2], [3]], 2)
    next(combinations)
    permutations = itertools.permutations([[1], [2], [3]], 2)
    next(permutations)
    accumulate = itertools.accumulate([[1], [2]])
    next(accumulate)
    chained = itertools.chain([[1]], [[2]])
    next(chained)

    @functools.singledispatch
    def dispatched(x):
        return x

    dispatched.register(int)(lambda x: [x])
    return [point([1], 2), blocks, wrapped, collections.deque(), iter(blocks), reversed(wrapped), ordered, moved, iter(ordered),
            ordered.keys(), ordered.values(), ordered.items(), collections.defaultdict(list, a=[1]), collections.Counter("abca"),
            collections.ChainMap({}, ordered), collections.UserDict(a=[1]), collections.UserList([[1]]),
            collections.UserString("text"), cached, unbounded, computed, functools.partial(print, [1], sep=""),
            functools.partialmethod(len, []), functools.cmp_to_key(lambda a, b: 0), functools.cmp_to_key(lambda a, b: 0)([1]),
            dispatched, tee, groups, group, cycle, product, combinations, permutations, accumulate, chained,
            itertools.count(1), itertools.count([1].__len__(), 2.5), itertools.repeat([1]), itertools.repeat([1], 3),
            itertools.islice([[1], [2]], 1), itertools.starmap(len, [[[]]]), itertools.takewhile(len, [[1]]),
            itertools.dropwhile(len, [[]]), itertools.filterfalse(len, [[1]]), itertools.compress([[1]], [1]),
            itertools.zip_longest([[1]], [], fillvalue=[]), itertools.combinations_with_replacement([[1]], 2),
            itertools.chain.from_iterable([[[1]]]), operator.itemgetter(1, "a"), operator.attrgetter("a.b", "c"),
            operator.methodcaller("name", [1], key={})] + (
                [itertools.pairwise([[1], [2]])] if hasattr(itertools, "pairwise") else []) + (
                [itertools.batched([[1], [2]], 2)] if hasattr(itertools, "batched") else [])


def numbers_and_times():
    import datetime
    zone = datetime.timezone(datetime.timedelta(hours=2), "zone")
    return [zone, datetime.datetime(2020, 1, 2, tzinfo=zone), datetime.time(1, 2, tzinfo=zone), datetime.date(2020, 1, 2),
            datetime.timedelta(5)] + made(
        "decimal", ("Decimal", "1.25"), ("Context",), lambda m: m.getcontext(), lambda m: m.localcontext()) + made(
        "fractions", ("Fraction", 1, 3)) + made("random", ("Random", 1)) + made(
        "statistics", ("NormalDist", 1, 2)) + made("time", lambda m: m.gmtime(0)) + made("uuid", ("UUID", "0" * 32)) + made(
        "ipaddress", ("IPv4Address", "1.2.3.4"), ("IPv4Network", "1.2.3.0/24"), ("IPv6Address", "::1"),
        ("IPv6Network", "::/64"), ("IPv4Interface", "1.2.3.4/24")) + made("zoneinfo", lambda m: m.ZoneInfo) + made(
        "calendar", ("TextCalendar",), ("HTMLCalendar",)) + made("array", ("array", "i", [1, 2, 3]), ("array", "d"),
                                                               lambda m: iter(m.array("b", b"ab"))) + made(
        "struct", ("Struct", "iq"), lambda m: m.iter_unpack("B", b"ab")) + made(
        "hashlib", ("md5", b"a"), ("sha256",), ("blake2b",), ("sha3_256",), ("sha512",)) + made("hmac", ("new", b"k", b"", "md5"))


def files():
    import io
    text = io.StringIO("text\nmore")
    text.attribute = [1]
    raw = io.BytesIO(b"bytes")
    raw.attribute = [1]
    zipped = io.BytesIO()
    return [text, raw, raw.getbuffer(), io.BufferedReader(io.BytesIO(b"b")), io.BufferedWriter(io.BytesIO()),
            io.BufferedRandom(io.BytesIO()), io.BufferedRWPair(io.BytesIO(), io.BytesIO()), io.TextIOWrapper(io.BytesIO(b"a")),
            io.FileIO("/dev/null"), open("/dev/null"), open("/dev/null", "rb"), io.IncrementalNewlineDecoder(None, True)] + made(
        "tempfile", ("SpooledTemporaryFile",), lambda m: m._RandomNameSequence()) + made(
        "csv", lambda m: m.reader(["a,b"]), lambda m: m.writer(io.StringIO()), lambda m: m.DictReader(["a,b", "1,2"]),
        lambda m: m.DictWriter(io.StringIO(), ["a"]), ("Sniffer",), lambda m: m.get_dialect("excel")) + made(
        "pickle", lambda m: m.Pickler(io.BytesIO()), lambda m: m.Unpickler(io.BytesIO())) + made(
        "zlib", ("compressobj",), ("decompressobj",)) + made("bz2", ("BZ2Compressor",), ("BZ2Decompressor",)) + made(
        "lzma", ("LZMACompressor",), ("LZMADecompressor",)) + made("gzip", lambda m: m.GzipFile(fileobj=io.BytesIO(), mode="wb")) + made(
        "zipfile", lambda m: m.ZipFile(zipped, "w"), ("ZipInfo",), lambda m: m.Path) + made(
        "tarfile", lambda m: m.TarFile(fileobj=io.BytesIO(), mode="w"), ("TarInfo",)) + made(
        "pathlib", ("Path", "/a/b"), ("PurePosixPath", "a"), ("PureWindowsPath", "c:/a"), lambda m: m.Path("/a").parents) + made(
        "os", lambda m: m.stat("/"), lambda m: m.scandir("/"), lambda m: m.environ, lambda m: m.uname(), lambda m: m.times(),
        lambda m: m.terminal_size((1, 2)), lambda m: m.sched_param(0)) + made("mmap", ("mmap", -1, 4096)) + made(
        "select", ("poll",), ("epoll",)) + made("selectors", ("PollSelector",), ("SelectSelector",), ("EpollSelector",)) + made(
        "socket", lambda m: m.socketpair()) + made("fileinput", lambda m: m.FileInput(["/dev/null"])) + made(
        "codecs", lambda m: m.getincrementaldecoder("utf-8")(), lambda m: m.getincrementalencoder("latin-1")(),
        lambda m: m.lookup("utf-8"), lambda m: m.getreader("utf-8")(io.BytesIO()), lambda m: m.getwriter("utf-8")(io.BytesIO())) + made(
        "shelve", lambda m: m.Shelf({})) + made("wave", lambda m: m.Wave_write) + made("mimetypes", ("MimeTypes",)) + made(
        "netrc", lambda m: m.netrc) + made("plistlib", ("UID", 1))


def texts():
    import re
    pattern = re.compile(r"(?P<name>\w+)(,)?")
    parser = __import__("html.parser", fromlist=["*"]).HTMLParser()
    parser.feed("<a>text")
    return [pattern, pattern.match("text,"), pattern.finditer("a b"), pattern.scanner("a"), parser] + made(
        "json", ("JSONEncoder",), ("JSONDecoder",), lambda m: m.decoder.scanner.c_make_scanner(m.JSONDecoder())) + made(
        "string", ("Template", "$a"), ("Formatter",), lambda m: m.Formatter().parse("{a}")) + made(
        "textwrap", ("TextWrapper",)) + made("difflib", ("SequenceMatcher", None, "abc", "abd"), ("Differ",), ("HtmlDiff",)) + made(
        "shlex", ("shlex", "a b")) + made("configparser", ("ConfigParser",), ("RawConfigParser",),
                                          lambda m: m.ConfigParser()["DEFAULT"]) + made(
        "argparse", ("ArgumentParser",), ("Namespace",), lambda m: m.ArgumentParser().add_argument("--a"),
        lambda m: m.ArgumentParser().add_subparsers(), lambda m: m.ArgumentParser().add_mutually_exclusive_group()) + made(
        "optparse", ("OptionParser",), ("Values",)) + made("gettext", ("NullTranslations",)) + made(
        "email.message", ("Message",), ("EmailMessage",)) + made("email.parser", ("Parser",), ("BytesFeedParser",)) + made(
        "email.policy", lambda m: m.default) + made("email.headerregistry", ("Address", "a", "b", "c"), ("HeaderRegistry",)) + made(
        "email.mime.text", ("MIMEText", "text")) + made("http.cookies", ("SimpleCookie", "a=b"), ("Morsel",)) + made(
        "http.cookiejar", ("CookieJar",), ("DefaultCookiePolicy",)) + made("http.client", ("HTTPConnection", "localhost")) + made(
        "urllib.parse", ("urlparse", "http://a/b"), ("urlsplit", "http://a/b")) + made(
        "urllib.request", ("Request", "http://localhost/"), ("OpenerDirector",), ("HTTPHandler",), ("ProxyHandler",)) + made(
        "urllib.robotparser", ("RobotFileParser",)) + made("xmlrpc.client", ("DateTime", "20200101T00:00:00"), ("Binary", b"a"),
                                                         ("Marshaller",)) + made(
        "xml.etree.ElementTree", lambda m: m.fromstring("<a b='c'>text<d>e</d>tail</a>"), ("TreeBuilder",), ("XMLParser",),
        ("QName", "a"), lambda m: m.ElementTree(m.Element("a")), lambda m: m.fromstring("<a><b/></a>").iter(),
        lambda m: m.XMLPullParser()) + made(
        "xml.dom.minidom", lambda m: m.parseString("<a b='c'>text<!--note--><d/></a>")) + made(
        "xml.sax", lambda m: m.make_parser(), lambda m: m.handler.ContentHandler(), lambda m: m.InputSource("a")) + made(
        "xml.parsers.expat", ("ParserCreate",)) + made("pprint", ("PrettyPrinter",)) + made("reprlib", ("Repr",)) + made(
        "unicodedata", lambda m: m.ucd_3_2_0) + made("locale", lambda m: m.localeconv()) + made("secrets", lambda m: m.SystemRandom())


def concurrency():
    import threading
    lock, local = threading.Lock(), threading.local()
    local.value = [1]
    event = threading.Event()
    loop = __import__("asyncio").new_event_loop()
    asyncio = sys.modules["asyncio"]

    async def sleeper():
        await asyncio.sleep(1000)

    async def waiter():
        queue = asyncio.Queue()
        task = asyncio.ensure_future(sleeper())
        lock = asyncio.Lock()
        await asyncio.sleep(0)
        return [queue, task, lock, asyncio.Event(), asyncio.Condition(), asyncio.Semaphore(), asyncio.PriorityQueue(),
                asyncio.get_event_loop().create_future(), asyncio.StreamReader()]

    kept = loop.run_until_complete(waiter())
    handle = loop.call_later(1000, print, [1])
    return [lock, local, event, loop, kept, handle, loop.call_soon(print, [2])] + made(
        "threading", ("RLock",), ("Condition",), ("Semaphore",), ("BoundedSemaphore",), ("Barrier", 2), ("Thread",),
        ("Timer", 1, print), lambda m: m.current_thread(), lambda m: m.main_thread()) + made(
        "queue", ("Queue",), ("LifoQueue",), ("PriorityQueue",), ("SimpleQueue",)) + made("sched", ("scheduler",)) + made(
        "contextvars", lambda m: m.copy_context(), lambda m: context_variables(m)) + made(
        "concurrent.futures", ("Future",), ("ThreadPoolExecutor", 1)) + made("multiprocessing", lambda m: m.get_context("spawn")) + made(
        "multiprocessing.pool", lambda m: m.ThreadPool) + made("signal", lambda m: m.Signals.SIGINT, lambda m: m.getsignal(2)) + made(
        "subprocess", ("CompletedProcess", [], 0), ("CalledProcessError", 1, "a")) + made("socketserver", lambda m: m.BaseServer) + made(
        "ssl", lambda m: m.SSLContext(m.PROTOCOL_TLS_CLIENT), lambda m: m.MemoryBIO()) + made("sqlite3", lambda m: database(m))


def context_variables(module):
    variable = module.ContextVar("variable", default=[1])
    token = variable.set([2])
    context = module.copy_context()
    context.run(variable.set, [3])
    return [variable, token, context, iter(context), context.items(), module.Context()]


def database(module):
    connection = module.connect(":memory:")
    connection.row_factory = module.Row
    connection.create_function("f", 1, len)
    cursor = connection.execute("select 1 as a, 'b' as b union select 2, 'c'")
    return [connection, cursor, cursor.fetchone(), cursor.description]


def introspection():
    import ast
    import inspect
    tree = ast.parse(SOURCE)

    def function(a, *, b: int = [1]) -> list:
        pass

    return [tree, inspect.signature(function), inspect.getfullargspec(function), inspect.currentframe().f_code] + made(
        "symtable", lambda m: m.symtable(SOURCE, "file", "exec")) + made("dis", ("Bytecode", function)) + made(
        "tokenize", lambda m: list(m.generate_tokens(iter(SOURCE.splitlines(True)).__next__))) + made(
        "traceback", lambda m: m.TracebackException(ValueError, ValueError([1]), None), lambda m: m.extract_stack()) + made(
        "linecache", lambda m: m.cache) + made("code", ("InteractiveInterpreter",), ("InteractiveConsole",)) + made(
        "codeop", ("CommandCompiler",), ("Compile",)) + made("importlib.machinery", ("ModuleSpec", "a", None), ("PathFinder",),
                                                           ("SourceFileLoader", "a", "b"), ("FileFinder", "/a")) + made(
        "importlib.util", lambda m: m.LazyLoader) + made("zipimport", lambda m: m.zipimporter) + made("pkgutil", lambda m: m.ModuleInfo) + made(
        "trace", ("Trace",)) + made("profile", ("Profile",)) + made("cProfile", ("Profile",)) + made("timeit", ("Timer",)) + made(
        "bdb", ("Bdb",)) + made("cmd", ("Cmd",)) + made("doctest", ("DocTestParser",), ("DocTestFinder",), ("OutputChecker",)) + made(
        "unittest", ("TestCase", "run"), ("TestSuite",), ("TestResult",), ("TestLoader",), ("TextTestRunner",)) + made(
        "unittest.mock", ("Mock",), ("MagicMock",), lambda m: m.call(1, a=2), lambda m: m.sentinel.a) + made(
        "logging", ("Logger", "a"), ("Handler",), ("StreamHandler",), ("Formatter",), ("Filter",), ("NullHandler",),
        lambda m: m.LogRecord("a", 1, "p", 1, "m", ([1],), None), lambda m: m.LoggerAdapter(m.Logger("b"), {}),
        lambda m: m.getLogger().manager) + made("logging.handlers", ("MemoryHandler", 5), ("QueueHandler", [])) + made(
        "warnings", ("WarningMessage", "a", UserWarning, "f", 1), ("catch_warnings",)) + made(
        "contextlib", ("ExitStack",), ("AsyncExitStack",), ("closing", []), ("suppress", ValueError), ("redirect_stdout", None),
        ("nullcontext", [])) + made("graphlib", ("TopologicalSorter", {1: [2]})) + made("ctypes", lambda m: foreign(m)) + made(
        "tracemalloc", lambda m: m.Filter(True, "a")) + made("rlcompleter", ("Completer",)) + made("tkinter.font", lambda m: m.Font)


def foreign(ctypes):
    class Pair(ctypes.Structure):
        _fields_ = [("left", ctypes.c_int), ("right", ctypes.py_object)]

    class Either(ctypes.Union):
        _fields_ = [("number", ctypes.c_int), ("text", ctypes.c_char_p)]

    pair = Pair(1, [2])
    callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int)(lambda x: x)
    return [pair, Either(), callback, ctypes.pointer(pair), ctypes.byref(pair), (ctypes.c_int * 5)(), ctypes.c_char_p(b"a"),
            ctypes.py_object([1]), ctypes.create_string_buffer(10), ctypes.POINTER(Pair), Pair.left, ctypes.PyDLL(None),
            ctypes.c_double(1.5), ctypes.c_void_p(), ctypes.cast(ctypes.pointer(ctypes.c_int(1)), ctypes.c_void_p)]


def typed():
    import abc
    import dataclasses
    import enum
    import typing

    class Colour(enum.Enum):
        RED = [1]
        BLUE = 2

    class Flags(enum.Flag):
        A = 1
        B = 2

    class Number(enum.IntEnum):
        ONE = 1

    @dataclasses.dataclass
    class Record:
        name: str
        values: list = dataclasses.field(default_factory=list)

    @dataclasses.dataclass(frozen=True, order=True)
    class Frozen:
        value: int

    class Abstract(abc.ABC):
        @abc.abstractmethod
        def method(self):
            pass

    class Concrete(Abstract):
        def method(self):
            return 1

    Abstract.register(int)
    isinstance(Concrete(), Abstract)
    isinstance(1, Abstract)
    isinstance("", Abstract)
    T = typing.TypeVar("T")

    class Generic(typing.Generic[T]):
        pass

    class Typed(typing.NamedTuple):
        a: int
        b: typing.List[int]

    class Shape(typing.Protocol):
        def area(self) -> float:
            ...

    found = [Colour, Colour.RED, Flags.A | Flags.B, Number.ONE, Record("a"), Frozen(1), dataclasses.fields(Record), Abstract,
             Concrete(), T, Generic, Generic[int], Generic[int](), Typed(1, []), Shape, typing.List[int], typing.Union[int, str],
             typing.Optional[int], typing.Callable[[int], str], typing.Dict[str, typing.Any], typing.Tuple[int, ...], typing.Any,
             typing.ForwardRef("int"), typing.ClassVar[int]]
    if sys.version_info >= (3, 9):
        found += [list[int], dict[str, list[int]]]
    if sys.version_info >= (3, 10):
        found += [int | str, typing.ParamSpec("P")]
    if sys.version_info >= (3, 12):
        scope = {}
        exec("type Alias[A] = list[A]\nclass New[B: int]:\n    x: B\ndef generic[C](a: C) -> C: return a", scope)
        found.append(scope)
    return found


SOURCE = '''
import a.b as c
from d import e
@decorated
class K(Base, metaclass=M):
    "document"
    x: int = 1
    def f(self, a, /, b=2, *args, c: str = "s", **more) -> None:
        global g
        nonlocal_ = lambda q: q
        for i, *j in range(3):
            if i < 1 <= 2 and not j or i in [1, (2,), {3}, {4: 5, **more}]:
                continue
            elif i is not None:
                break
            else:
                pass
        while True:
            yield i
        with open("f") as h, k:
            raise ValueError(f"{h!r:>{i}}") from None
        try:
            assert x, "m"
            del x[1:2, ...]
        except (A, B) as error:
            return await_
        finally:
            a.b += -c @ d ** e // f % g << h >> i | j ^ k & ~l
        yield from [p for p in q if r for s in t]
        {u: v for u in w}, {u for u in w}, (u for u in w), (x := 1), 1 if 2 else 3, b"bytes", 1.5, 2j, [*z]
    async def co(self):
        async for i in j:
            await k
        async with l as m:
            return [n async for n in o]
'''

AREAS = [dicts, instances, sequences, functions, running, exceptions, weak, containers, numbers_and_times, files, texts,
         concurrency, introspection, typed]


def cycles(keep=None):
    """Garbage, unless what holds it is put into the list `keep`. Collect with DEBUG_SAVEALL to see it again."""
    a, b = [], {}
    a.append(b)
    b["a"] = a
    first, second = Plain(), Plain()
    first.other, second.other = second, first
    first.hanging = [Plain("hanging"), {"text": "a string of its own %d" % len(a)}]
    ring = Slots(None, None)
    ring.left = Slots(ring, (ring, [ring]))

    def recursive():
        return recursive

    class Lonely:
        def method(self):
            return Lonely

    recursive.tuple = (recursive, Lonely())
    try:
        raise ValueError("kept")
    except ValueError as error:
        kept = error
    kept.frame = sys._getframe()
    finalized = Finalized()
    finalized.self = finalized
    d = dict.fromkeys(range(10))
    d[11] = d
    if keep is not None:
        keep += [a, first, ring, recursive, kept, finalized, d]


def generators_in_garbage():
    """A cycle through a generator that waits. Its finalizer closes it, which drops what it holds: the cycle is no more when the collector
    comes to it."""
    def waiting(holder):
        mine = [holder]
        yield mine

    holder = []
    holder.append(waiting(holder))
    next(holder[0])


BACK = []


def resurrection():
    """A finalizer brings its object back, and what that holds."""
    class Back:
        def __del__(self):
            BACK.append(self)

    back = Back()
    back.self, back.held = back, [[1], {"a": []}]
    other = []
    other.append(other)


def build():
    """Everything, by area. Garbage is left about, and some of what is kept is frozen: the permanent generation."""
    gc.collect()
    kept = {}
    for area in AREAS:
        if area is AREAS[-3]:
            gc.freeze()
        kept[area.__name__] = area()
    return kept


def kinds(kept):
    """The types of all that can be reached from what build() returned, through its own objects."""
    seen, types_, work = set(), set(), [kept]
    while work:
        thing = work.pop()
        if id(thing) in seen or issubclass(type(thing), types.ModuleType):
            continue
        seen.add(id(thing))
        types_.add(type(thing))
        work.extend(gc.get_referents(thing))
    return types_


if __name__ == "__main__":
    population = build()
    print(sys.version.split()[0], len([t for t in kinds(population) if not t.__module__.startswith("__main__")]), "types")
