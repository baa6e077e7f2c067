#!/bin/sh
# The headers in a C++17 program, which must build without a warning, run, and dump.
set -eu
build=$1
out=$build/tests/cxx
mkdir -p "$out"
here=$(dirname "$0")
${CXX:-c++} -std=c++17 -Wall -Wextra -Wpedantic -Werror -Wno-invalid-offsetof -I"$here/../dumpfmt/include" \
    -I"$here/../runtime/librefheap/include" "$here/cxx.cpp" -o "$out/cxx" "$build/librefheap.a"
"$out/cxx" "$out/cxx.refheap"
"$build/refheap" cycles "$out/cxx.refheap" | grep -q "would find 2 unreachable"
echo "  OK     $out/cxx"
