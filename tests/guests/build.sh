#!/usr/bin/env bash
# Builds the guests of this folder with the compilers of their languages, installed below
# `target/guests`, and runs their tests. Needs bash, Node.js with npm, a Java runtime (17 or newer)
# and Python with pip; the Rust toolchain for the tests.
#
# Small guests are kept in the repository as text (`<source>.wat`), so that `cargo test` runs them
# anywhere: this script renews them. The Kotlin guest stays below `target/guests`.
set -euo pipefail

readonly KOTLIN=2.4.20 MOONBIT=0.1.202605123 ASSEMBLYSCRIPT=0.28.20 BINARYEN=132.0.0 ZIG=0.17.1

cd "$(dirname "${BASH_SOURCE[0]}")"
readonly SOURCES=$PWD
cd ../..
readonly REPOSITORY=$PWD
readonly OUT=${CARGO_TARGET_DIR:-$REPOSITORY/target}/guests

for tool in node npm java python3; do
    command -v "$tool" >/dev/null || { echo "$0: needs $tool" >&2; exit 1; }
done
mkdir -p "$OUT"
cd "$OUT"

echo "== compilers"
npm install --prefix . --no-save --no-fund --no-audit --loglevel error \
    "kotlin-compiler@$KOTLIN" "@moonbit/moonc-worker@$MOONBIT" "assemblyscript@$ASSEMBLYSCRIPT" \
    "binaryen@$BINARYEN"
[ -d zig/ziglang ] || python3 -m pip install --quiet --target zig "ziglang==$ZIG"

echo "== journal.ts: AssemblyScript $ASSEMBLYSCRIPT"
cp "$SOURCES/journal.ts" .
node node_modules/assemblyscript/bin/asc.js journal.ts --enable reference-types -O3 --runtime stub \
    --outFile journal.ts.wasm --textFile "$SOURCES/journal.ts.wat"

echo "== journal.c: C, clang of zig $ZIG"
PYTHONPATH=zig ZIG_GLOBAL_CACHE_DIR="$OUT/zig-cache" ZIG_LOCAL_CACHE_DIR="$OUT/zig-cache" \
    python3 -m ziglang cc -target wasm32-freestanding -O2 -nostdlib -mreference-types \
    -Wl,--no-entry -Wl,--strip-all -o journal.c.wasm "$SOURCES/journal.c"
node node_modules/binaryen/bin/wasm-dis --all-features journal.c.wasm > "$SOURCES/journal.c.wat"

echo "== queens.mbt: MoonBit $MOONBIT"
NODE_PATH=node_modules node "$SOURCES/moonc.cjs" "$SOURCES/queens.mbt" "$SOURCES/queens.mbt.wat" \
    queens expression

echo "== inventory.kt: Kotlin $KOTLIN"
kotlinc() {
    node_modules/kotlin-compiler/bin/kotlinc-wasm -Xwasm-target=wasm-wasi \
        -libraries node_modules/kotlin-compiler/lib/kotlin-stdlib-wasm-wasi.klib \
        -ir-output-name inventory "$@"
}
rm -rf klib
kotlinc -nowarn -Xir-produce-klib-dir -ir-output-dir klib "$SOURCES/inventory.kt" 2>&1 | { grep -v 'warning: the argument' || true; }
kotlinc -nowarn -Xinclude=klib -ir-output-dir . -Xir-dce -Xir-produce-js
ls -l ./*.wasm

echo "== tests"
cd "$REPOSITORY"
HOSTREF_KOTLIN_GUEST="$OUT/inventory.wasm" cargo test -p hostref-suite --features toolchains --test guests --test kotlin
