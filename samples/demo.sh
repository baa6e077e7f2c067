#!/bin/sh
# A tour in one minute: a program leaks, GDB shows the leak live, the file shows it again, and a picture says what to do.
# Run by `make demo`, from the top of the tree, with the build folder as its argument.
set -eu
build=$1
out=build/demo
mkdir -p "$out"
rm -f "$out"/*

bold=; plain=
if test -t 1; then bold=$(printf '\033[1m'); plain=$(printf '\033[0m'); fi
say() { printf '\n%s%s%s\n' "$bold" "$*" "$plain"; }
show() { printf '\n$ %s\n' "$*"; "$@"; }
refheap=$build/refheap

say "1. samples/c/proxy.c opens pairs of connections that point at each other. Here it is under GDB, stopped:"
gdb -nx -q -batch -iex 'set debuginfod enabled off' -iex 'set auto-load no' -iex 'set startup-with-shell off' \
    -x "$build/refheap_gdb/refheap-gdb.py" -x samples/demo.gdb "$build/samples/proxy"

say "2. The same again, days later, from the file it left:"
show "$refheap" generations "$out/proxy.refheap"
show "$refheap" cycles "$out/proxy.refheap"
leaked=$("$refheap" cycles "$out/proxy.refheap" --objects --csv --limit 1 | sed -n '2s/,.*//p')
show "$refheap" referrers "$out/proxy.refheap" "$leaked"
show "$refheap" why "$out/proxy.refheap" "$leaked"

test -s "$out/cycles.svg"
say "Left for you: $out/cycles.svg (the leak, drawn; open it in a browser) and $out/proxy.refheap (the snapshot)."
