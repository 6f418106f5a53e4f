#!/bin/bash
# Builds the guest programs of examples/ and tests/guest/ from their sources into the committed ELF files.
# What is built, from what and how, stands in the "binaries" of examples/manifest.json and tests/guest/manifest.json;
# a recipe named there is a case of link() below. The flags are fixed, so that the same compiler gives the same bytes.
#
# usage: scripts/build-examples.sh [--check] [NAME...]
#   --check   builds into a temporary directory and compares with the committed files
#   NAME      only the files with this name (without directory), e.g. clone-static
# needs: gcc, musl-gcc (Debian: musl-tools), strip, node. Made with GCC 12.2, glibc 2.36, musl 1.2.3.
set -euo pipefail
export LC_ALL=C
root=$(cd "$(dirname "$0")/.." && pwd)
check=
names=()
for argument in "$@"; do
  case $argument in
    --check) check=1 ;;
    -*) sed -n '2,10s/^# \?//p' "$0" >&2; exit 2 ;;
    *) names+=("$argument") ;;
  esac
done
for tool in gcc musl-gcc strip node; do
  command -v "$tool" >/dev/null || { echo "build-examples: $tool not found" >&2; exit 1; }
done

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
musl=/usr/lib/x86_64-linux-musl

compile_flags=(-O2 -std=gnu17 -march=x86-64 -mtune=generic -pthread -fcf-protection=none -fno-stack-protector
  -fno-strict-aliasing -ffp-contract=off -fno-ident -fno-asynchronous-unwind-tables
  -Wall -Wextra -Werror -Wno-missing-field-initializers -Wno-unused-result)
link_flags=(-pthread -Wl,--build-id=none -Wl,-z,noexecstack -Wl,--hash-style=gnu)

# compile CC SOURCE OBJECT FLAG...: the source is named relative to the root, so that no path of this machine gets in.
compile() {
  local cc=$1 source=$2 object=$3
  shift 3
  (cd "$root" && "$cc" "${compile_flags[@]}" "$@" -c "$source" -o "$object")
}

# link RECIPE SOURCE OUTPUT CFLAG...
link() {
  local recipe=$1 source=$2 output=$3
  local object=$work/program.o
  shift 3
  case $recipe in
    musl-static)
      compile musl-gcc "$source" "$object" -fno-pie "$@"
      musl-gcc "${link_flags[@]}" -static -no-pie "$object" -o "$output" ;;
    musl-static-pie) # musl-gcc's specs know no -static-pie: its start files by hand
      compile musl-gcc "$source" "$object" -fPIE "$@"
      musl-gcc "${link_flags[@]}" -static -nostartfiles -Wl,-pie,--no-dynamic-linker,-z,text \
        "$musl/rcrt1.o" "$musl/crti.o" "$object" "$musl/crtn.o" -o "$output" ;;
    glibc-static)
      compile gcc "$source" "$object" -fno-pie "$@"
      gcc "${link_flags[@]}" -static -no-pie "$object" -lm -o "$output" ;;
    glibc-dynamic)
      compile gcc "$source" "$object" -fPIE "$@"
      gcc "${link_flags[@]}" -pie "$object" -lm -o "$output" ;;
    glibc-dynamic-nopie)
      compile gcc "$source" "$object" -fno-pie "$@"
      gcc "${link_flags[@]}" -no-pie "$object" -lm -o "$output" ;;
    nolibc)
      compile gcc "$source" "$object" -fno-pie "$@"
      gcc "${link_flags[@]}" -static -nostdlib -no-pie -Wl,-z,noseparate-code "$object" -o "$output" ;;
    *)
      echo "build-examples: unknown recipe $recipe" >&2
      return 1 ;;
  esac
  strip -g -R .comment "$output" # symbols stay: dumps and logs name functions by them
}

# One line a binary: directory, file, source, recipe, flags.
list() {
  node -e '
    const { readFileSync } = require("node:fs");
    for (const dir of ["examples", "tests/guest"]) {
      const { binaries } = JSON.parse(readFileSync(`${process.argv[1]}/${dir}/manifest.json`, "utf8"));
      for (const b of binaries) console.log([dir, b.file, b.source, b.recipe, ...(b.cflags ?? [])].join("\t"));
    }' "$root"
}

wanted() {
  [ ${#names[@]} -eq 0 ] && return 0
  local name
  for name in "${names[@]}"; do
    [ "$name" = "$(basename "$1")" ] && return 0
  done
  return 1
}

built=0
different=0
list >"$work/list"
while IFS=$'\t' read -r -a row; do
  dir=${row[0]} file=${row[1]} source=${row[2]} recipe=${row[3]}
  wanted "$file" || continue
  link "$recipe" "$dir/$source" "$work/program" "${row[@]:4}"
  built=$((built + 1))
  if [ -n "$check" ]; then
    cmp -s "$work/program" "$root/$dir/$file" || { echo "differs: $dir/$file"; different=$((different + 1)); }
  else
    mkdir -p "$(dirname "$root/$dir/$file")"
    install -m 755 "$work/program" "$root/$dir/$file"
  fi
done <"$work/list"
if [ "$built" -eq 0 ]; then
  echo "build-examples: no such program: ${names[*]}" >&2
  exit 1
fi
if [ -n "$check" ]; then
  echo "$built programs built, $different differ from the committed files"
  [ "$different" -eq 0 ]
else
  echo "$built programs built"
fi
