#!/bin/bash
# Runs a command with every x86-64 program of its process tree under qemu-x86_64, where the host's user namespaces have a binfmt_misc of their own (Linux 6.7).
# In: QEMU, a copy of qemu-x86_64 whose last byte of e_ident is 1, so that the entry, which asks for 0, leaves it alone; the command.
# usage: unshare -Urmpf --kill-child --mount-proc tests/matrix/qemu-tree.sh QEMU COMMAND...
set -e
qemu=$1
shift
mount -t binfmt_misc none /proc/sys/fs/binfmt_misc
printf '%s' ":lift64:M::\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00:\xff\xff\xff\xff\xff\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\xff:$qemu:OF" > /proc/sys/fs/binfmt_misc/register
exec "$@"
