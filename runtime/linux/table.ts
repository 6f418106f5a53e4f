/**
 * THE system call table: the rows of all families, and a row "no" for every other number that x86-64 names. In: the families. Out: rowOf, allRows.
 * Source: the numbers of x86-64's syscall table (man 2 syscalls).
 * To add a call: add its row, with its handler, to the family's file in syscalls/. Its number and name must be those of SYSCALL_NAMES; the table's test checks it.
 */
import { InternalError } from '../../src/base/errors.js';
import type { SyscallRow } from './context.js';
import { SYSCALL_NAMES } from './syscall-names.js';
import { FAMILIES } from './syscalls/families.js';

/** One past the highest number that is named. */
export const SYSCALL_COUNT = SYSCALL_NAMES.length;

/** Joins families into a table indexed by number. Throws InternalError when a number has two rows, or a name that is not x86-64's. */
export function buildTable(families: readonly (readonly SyscallRow[])[]): readonly (SyscallRow | undefined)[] {
  const table: (SyscallRow | undefined)[] = new Array<SyscallRow | undefined>(SYSCALL_COUNT).fill(undefined);
  for (const rows of families) {
    for (const row of rows) {
      if (SYSCALL_NAMES[row.nr] !== row.name)
        throw new InternalError(`syscall row ${row.name}: number ${row.nr} is ${SYSCALL_NAMES[row.nr] ?? 'not named'}`);
      if (table[row.nr] !== undefined) throw new InternalError(`two rows for syscall ${row.nr} (${row.name})`);
      table[row.nr] = row;
    }
  }
  for (let nr = 0; nr < SYSCALL_COUNT; nr++) {
    const name = SYSCALL_NAMES[nr];
    if (table[nr] === undefined && name !== undefined && name !== '')
      table[nr] = { nr, name, args: 'x,x,x,x,x,x', support: 'no', note: 'not implemented' };
  }
  return table;
}

const TABLE = buildTable(FAMILIES);

/** Row of number `nr`; undefined where x86-64 has no call. */
export function rowOf(nr: number): SyscallRow | undefined {
  return TABLE[nr];
}

/** All rows, by number. */
export function allRows(): SyscallRow[] {
  return TABLE.filter((row) => row !== undefined);
}
