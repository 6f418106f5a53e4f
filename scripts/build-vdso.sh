#!/bin/bash
# Builds the guests' vDSO from runtime/process/vdso/vdso.c into runtime/process/vdso/image.ts. --check: compares instead.
# needs: gcc, strip, base64. Made with GCC 12.2, binutils 2.40.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
dir=$root/runtime/process/vdso
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
functions='__vdso_clock_gettime; __vdso_gettimeofday; __vdso_time; __vdso_clock_getres; __vdso_getcpu;'
echo "LINUX_2.6 { global: $functions local: *; };" >"$work/versions"
# One segment, headers included.
cat >"$work/script" <<END
PHDRS { text PT_LOAD FLAGS(5) FILEHDR PHDRS; dynamic PT_DYNAMIC FLAGS(4); }
SECTIONS {
  . = SIZEOF_HEADERS;
  .hash : { *(.hash) } :text
  .gnu.hash : { *(.gnu.hash) }
  .dynsym : { *(.dynsym) }
  .dynstr : { *(.dynstr) }
  .gnu.version : { *(.gnu.version) }
  .gnu.version_d : { *(.gnu.version_d) }
  .dynamic : { *(.dynamic) } :text :dynamic
  .rodata : { *(.rodata*) } :text
  .text : { *(.text*) } :text
  /DISCARD/ : { *(.note*) *(.eh_frame*) *(.data*) *(.bss*) }
}
END
(cd "$root" && gcc -O2 -std=gnu17 -march=x86-64 -fPIC -ffreestanding -fcf-protection=none -fno-stack-protector \
  -fno-asynchronous-unwind-tables -fno-ident -fvisibility=hidden -Wall -Wextra -Werror -shared -nostdlib \
  -Wl,-T,"$work/script",-soname,linux-vdso.so.1 -Wl,--hash-style=both -Wl,--version-script="$work/versions" -Wl,--build-id=none \
  -Wl,-z,noseparate-code,-z,norelro,-z,max-page-size=4096,-z,noexecstack,-Bsymbolic \
  -Wl,--no-eh-frame-hdr runtime/process/vdso/vdso.c -o "$work/vdso")
strip -R .comment "$work/vdso"
{
  echo '/** The vDSO: an ELF shared object of less than a page. In: nothing. Out: its bytes. Made from vdso.c by scripts/build-vdso.sh: do not edit. */'
  echo
  echo 'export const VDSO_IMAGE ='
  base64 -w 150 "$work/vdso" | sed "s/.*/  '&' +/; \$ s/ +\$/;/"
} >"$work/image.ts"
if [ "${1-}" = --check ]; then
  cmp "$work/image.ts" "$dir/image.ts" && echo 'the vDSO is as its source says'
else
  cp "$work/image.ts" "$dir/image.ts"
fi
