#!/bin/sh
# make_deb.sh FOLDER VERSION DATE: Debian packages of the tree as it is, built and left in FOLDER. Run from the top of the tree.
#
# dpkg wants its files in debian/ at the top of a source tree: a copy is made, and packaging/debian put there. The changelog and
# the copyright file are made of the version and of LICENSE. DEBFULLNAME and DEBEMAIL say who the maintainer is.
set -eu
unset MAKEFLAGS MFLAGS O BUILD
folder=$1 version=$2 released=$3
tree=$folder/refheap-$version
maintainer="${DEBFULLNAME:-refheap developers} <${DEBEMAIL:-refheap@localhost}>"
rm -rf "$folder"
mkdir -p "$tree"

# Files git knows, as they are now; without git, all but what was built.
if git ls-files --error-unmatch Makefile >/dev/null 2>&1; then
    git ls-files | while IFS= read -r file; do test ! -e "$file" || printf '%s\n' "$file"; done |
        tar -c --verbatim-files-from -T - | tar -x -C "$tree"
else
    tar -c --exclude='./build*' --exclude=__pycache__ . | tar -x -C "$tree"
fi
cp -r packaging/debian "$tree/debian"

sed "s/^Maintainer: .*/Maintainer: $maintainer/" packaging/debian/control >"$tree/debian/control"
cat >"$tree/debian/changelog" <<END
refheap ($version) unstable; urgency=medium

  * Version $version.

 -- $maintainer  $(date -u -R -d "$released")
END
{
    printf 'Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\nUpstream-Name: refheap\n\nFiles: *\n'
    sed -n 's/^Copyright (c) /Copyright: /p' LICENSE
    printf 'License: Expat\n'
    sed -n '/^Permission/,$p' LICENSE | sed 's/^$/./; s/^/ /'
} >"$tree/debian/copyright"

(cd "$tree" && dpkg-buildpackage -us -uc --jobs-try=2) >"$folder/build.log" 2>&1 || {
    tail -20 "$folder/build.log"
    echo "the packages could not be built; see $folder/build.log"
    exit 1
}
rm -rf "$tree"
ls "$folder"/*.deb
