#!/bin/sh
# make_pages.sh PROGRAM VERSION DATE FOLDER: the manual pages, from what the program says of itself and docs/man/*.md.
set -eu
program=$1 version=$2 folder=$4
here=$(dirname "$0")
export LC_ALL=C.UTF-8
date=$(date -u -d "$3" '+%B %-d, %Y')
commands=$("$program" help)
rm -rf "$folder.new"
mkdir -p "$folder.new"

# page NAME SECTION ABOUT HELP
page() {
    text=$here/$1.$2.md
    test -e "$text" || text=/dev/null
    awk -v page="$1" -v section="$2" -v about="$3" -v date="$date" -v version="$version" -v commands="$commands" \
        -f "$here/page.awk" "$4" "$text" >"$folder.new/$1.$2"
}

printf '%s\n' "$commands" | sed -n 's/^  \([a-z-]*\)  *\(.*\)/\1 \2/p' | while read -r command about; do
    "$program" "$command" --help >"$folder.new/help"
    page "refheap-$command" 1 "$about" "$folder.new/help"
done
printf '\n' >"$folder.new/help"
page refheap 1 "what is in a reference-counted heap, what is garbage, and who holds an object" "$folder.new/help"
page refheap-gdb 7 "refheap's commands in GDB" "$folder.new/help"
page refheap-format 5 "the snapshot format of refheap" "$folder.new/help"
page librefheap 3 "reference-counted objects with a cycle collector and heap snapshots" "$folder.new/help"
rm -r "$folder.new/help"
rm -rf "$folder"
mv "$folder.new" "$folder"
