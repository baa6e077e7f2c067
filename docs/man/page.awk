# Makes a manual page in mdoc(7) of two sources: what the program says of itself, and a page of docs/man in Markdown.
#
#   awk -v page=refheap-cycles -v section=1 -v about="..." -v date="..." -v version=... -f page.awk HELP PAGE.md
#
# HELP is what `refheap COMMAND --help` prints, for a command's page: it gives the synopsis, the first words of the description, and
# the options, which therefore cannot differ. For another page it is empty. `commands` is the list of `refheap help`. Of Markdown
# this knows: "# title" (left out), "## SECTION", "### PART", paragraphs, lists with "- ", tables, ``` blocks, `code`, **bold**, and links.

function escaped(text) {
    gsub(/\\/, "\\e", text)
    return text
}

# A line of text with what stands in it as `code` or **bold**.
function inline(text,    out, before, mark, body) {
    text = escaped(text)
    out = ""
    while (match(text, /`[^`]+`|\*\*[^*]+\*\*/)) {
        mark = substr(text, RSTART, 1) == "`" ? 1 : 2
        body = substr(text, RSTART + mark, RLENGTH - 2 * mark)
        if (mark == 1)
            gsub(/-/, "\\-", body)
        before = substr(text, 1, RSTART - 1)
        out = out before "\\fB" body "\\fP"
        text = substr(text, RSTART + RLENGTH)
    }
    return out text
}

# Of links, the text.
function unlinked(text) {
    while (match(text, /\[[^][]+\]\([^)]+\)/)) {
        link = substr(text, RSTART + 1, index(substr(text, RSTART), "](") - 2)
        text = substr(text, 1, RSTART - 1) link substr(text, RSTART + RLENGTH)
    }
    return text
}

function put(line) {
    flush_text()
    body[current] = body[current] line "\n"
    wants_paragraph = 0
}

# Text gathers until something else comes; then each sentence begins a line, as mdoc wants it, and lines are short.
function flush_text() {
    if (gathered != "")
        body[current] = body[current] lines_of(inline(unlinked(gathered)))
    gathered = ""
}

function lines_of(text,    words, n, i, line, out, length_now) {
    n = split(text, words, / +/)
    line = out = ""
    for (i = 1; i <= n; i++) {
        if (line != "" && (length(line) + length(words[i]) > 78 || (line ~ /[.!?][)"]?(\\fP)?$/ && line !~ /\.\.\.(\\fP)?$/))) {
            out = out line "\n"
            line = ""
        }
        if (line == "" && words[i] ~ /^[.']/)
            line = "\\&"
        line = line (line == "" || line == "\\&" ? "" : " ") words[i]
    }
    return out line "\n"
}

function close_list() {
    if (in_list)
        put(".El")
    in_list = 0
}

function begin(name) {
    close_list()
    flush_text()
    current = name
    if (!(name in body)) {
        order[++count] = name
        body[name] = ""
    }
    wants_paragraph = 0
}

# Text goes on in the paragraph, or begins one.
function text_line(line) {
    if (wants_paragraph && (body[current] != "" || gathered != ""))
        put(".Pp")
    wants_paragraph = 0
    gathered = gathered (gathered == "" ? "" : " ") line
}

BEGIN {
    begin("DESCRIPTION")
    part = "usage"
}

# ---- the program's own words ----

NR == FNR && /^usage: / {
    synopsis = substr($0, length("usage: refheap ") + 1)
    next
}
NR == FNR && /^options:$/ {
    part = "options"
    next
}
NR == FNR && part == "options" {
    if (match($0, /^  --[a-z-]+/)) {
        rest = substr($0, RLENGTH + 1)
        option = substr($0, 5, RLENGTH - 4)
        value = ""
        if (rest ~ /^ [^ ]/) {
            value = substr(rest, 2)
            sub(/ .*/, "", value)
            rest = substr(rest, 2 + length(value))
        }
        sub(/^ +/, "", rest)
        known["OPTIONS"] = known["OPTIONS"] ".It Fl \\-" option (value == "" ? "" : " Ar " escaped(value)) "\n" \
            lines_of(inline(rest))
        if (option == "color")
            has_color = 1
        if (option == "no-cache")
            has_cache = 1
    }
    next
}
NR == FNR && /^$/ {
    wants_paragraph = 1
    next
}
NR == FNR && /^    / {
    put(".Dl " escaped(substr($0, 5)))
    next
}
NR == FNR {
    text_line($0)
    next
}

# ---- the page ----

FNR == 1 {
    wants_paragraph = 1
}
/^```/ {
    if (in_block) {
        put(".Ed")
        wants_paragraph = 1
    } else {
        close_list()
        put(".Bd -literal -offset indent")
    }
    in_block = !in_block
    next
}
in_block {
    line = escaped($0)
    if (line ~ /^[.']/)
        line = "\\&" line
    gsub(/-/, "\\-", line)
    put(line)
    next
}
/^# / {
    next
}
/^## / {
    begin(substr($0, 4))
    next
}
/^### / {
    close_list()
    put(".Ss " substr($0, 5))
    wants_paragraph = 0
    next
}
/^@commands@$/ {
    close_list()
    n = split(commands, lines, "\n")
    put(".Bl -tag -width Ds")
    for (i = 1; i <= n; i++)
        if (match(lines[i], /^  [a-z-]+/)) {
            name = substr(lines[i], 3, RLENGTH - 2)
            rest = substr(lines[i], RLENGTH + 1)
            sub(/^ +/, "", rest)
            put(".It Xr refheap-" name " 1")
            text_line(rest)
        }
    put(".El")
    wants_paragraph = 1
    next
}
/^\|[ -|]*\|$/ && /---/ {
    next
}
/^\|/ {
    if (!in_list) {
        put(".Bl -tag -width Ds")
        in_list = 1
        next # the heads of the columns
    }
    row = $0
    gsub(/\\\|/, "\001", row)
    n = split(row, cells, "|")
    line = ""
    for (i = 3; i < n; i++) {
        cell = cells[i]
        gsub(/^ +| +$/, "", cell)
        gsub("\001", "|", cell)
        line = line (line == "" || cell == "" ? "" : ": ") cell
    }
    cell = cells[2]
    gsub(/^ +| +$/, "", cell)
    gsub("\001", "|", cell)
    put(".It " inline(unlinked(cell)))
    text_line(line)
    next
}
/^- / {
    if (!in_list)
        put(".Bl -bullet")
    in_list = 1
    put(".It")
    text_line(substr($0, 3))
    next
}
/^  / && in_list {
    text_line(substr($0, 3))
    next
}
/^$/ {
    close_list()
    wants_paragraph = 1
    next
}
{
    text_line($0)
}

# ---- the whole ----

function section_out(name, text) {
    if (text == "")
        return
    print ".Sh " name
    printf "%s", text
    shown[name] = 1
}

function sorted_by(name) {
    return substr(name, index(name, "(")) name
}

function see_also(    n, i, j, names, text, list, swap) {
    text = body["SEE ALSO"]
    gsub(/[\n,]/, " ", text)
    if (synopsis != "")
        text = "refheap(1) " text
    n = split(text, names, / +/)
    for (i = 1; i <= n; i++) # by section and name
        for (j = i + 1; j <= n; j++)
            if (sorted_by(names[j]) < sorted_by(names[i])) {
                swap = names[i]
                names[i] = names[j]
                names[j] = swap
            }
    list = ""
    for (i = 1; i <= n; i++)
        if (names[i] ~ /\(/) {
            split(names[i], parts, /[()]/)
            list = list (list == "" ? "" : " ,\n") ".Xr " parts[1] " " parts[2]
        }
    return list == "" ? "" : list "\n"
}

END {
    close_list()
    flush_text()
    print ".\\\" Made by docs/man/page.awk; change docs/man/" page "." section ".md, or what the program says of itself."
    print ".Dd " date
    print ".Dt " toupper(page) " " section
    print ".Os refheap " version
    print ".Sh NAME"
    print ".Nm " page
    print ".Nd " inline(about)
    section_out("LIBRARY", body["LIBRARY"])
    if (synopsis != "") {
        print ".Sh SYNOPSIS"
        space = index(synopsis " ", " ")
        print ".Nm refheap " substr(synopsis, 1, space - 1)
        rest = substr(synopsis, space + 1)
        gsub(/-/, "\\-", rest)
        if (rest != "")
            print rest
        shown["SYNOPSIS"] = 1
    } else {
        section_out("SYNOPSIS", body["SYNOPSIS"])
    }
    section_out("DESCRIPTION", body["DESCRIPTION"])
    if (known["OPTIONS"] != "") {
        print ".Sh OPTIONS"
        print ".Bl -tag -width Ds"
        printf "%s", known["OPTIONS"]
        print ".El"
    }
    late = " ENVIRONMENT FILES EXIT STATUS EXAMPLES SEE ALSO "
    for (i = 1; i <= count; i++)
        if (!(order[i] in shown) && !index(late, " " order[i] " "))
            section_out(order[i], body[order[i]])
    if (!("ENVIRONMENT" in body) && has_color) {
        body["ENVIRONMENT"] = ".Bl -tag -width Ds\n.It Ev NO_COLOR\nIf set, no colours but with\n.Fl \\-color Cm always .\n"
        if (has_cache)
            body["ENVIRONMENT"] = body["ENVIRONMENT"] ".It Ev XDG_CACHE_HOME\n" \
                "Where indexes are kept that cannot stand beside their snapshot.\n"
        body["ENVIRONMENT"] = body["ENVIRONMENT"] ".El\n"
    }
    if (!("FILES" in body) && has_cache)
        body["FILES"] = ".Bl -tag -width Ds\n.It Pa SNAPSHOT.index\nWhat was computed of a large snapshot, for the next command.\n" \
            "It may be removed at any time.\n.El\n"
    if (!("EXIT STATUS" in body) && synopsis != "")
        body["EXIT STATUS"] = lines_of("0 when all went well, 2 for a wrong command line or input, with one line on the " \
            "standard error that says what is wrong, where, and what to do.")
    section_out("ENVIRONMENT", body["ENVIRONMENT"])
    section_out("FILES", body["FILES"])
    section_out("EXIT STATUS", body["EXIT STATUS"])
    section_out("EXAMPLES", body["EXAMPLES"])
    section_out("SEE ALSO", see_also())
}
