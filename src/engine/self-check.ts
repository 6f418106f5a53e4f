/**
 * TBs that check themselves: for pages that are written to so often that killing their code at each write does not pay (code and data on one page, JIT scratch).
 * In: a TB and its guest bytes. Out: the TB with a comparison of the bytes in front; when they differ it leaves with EXIT.STALE and is translated anew.
 *
 *     gld_i64 t9, $0x401000, 0
 *     brcond_i64 t9, $0x..., ne, L7
 *     ...the TB...
 *    L7:
 *     exit 13, 0, 0x401000
 */
import type { TempId } from '../base/ids.js';
import { EXIT } from '../guest/cpu-state.js';
import type { Op, Tb, Temp, Type } from '../ir/types.js';

/** Loads of 8, 4, 2 and 1 bytes. */
const LOADS = [
  { bytes: 8, name: 'gld_i64' },
  { bytes: 4, name: 'gld32u_i64' },
  { bytes: 2, name: 'gld16u_i64' },
  { bytes: 1, name: 'gld8u_i64' },
] as const;

/** @param bytes the guest bytes that `tb` was lifted from */
export function withSelfCheck(tb: Tb, bytes: Uint8Array): Tb {
  const temps: Temp[] = [...tb.temps];
  const add = (type: Type, kind: 'ebb' | 'const', value?: bigint): TempId => {
    const id = temps.length as TempId;
    temps.push(
      value === undefined
        ? { id, type, kind, name: `t_check${id}` }
        : { id, type, kind, name: `$0x${value.toString(16)}`, value },
    );
    return id;
  };
  const base = add('i32', 'const', BigInt(tb.pc));
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const checks: Op[] = [];
  for (let at = 0; at < bytes.length;) {
    const load = LOADS.find((l) => at + l.bytes <= bytes.length) ?? LOADS[3];
    let value = 0n;
    for (let i = load.bytes - 1; i >= 0; i--) value = (value << 8n) | BigInt(view.getUint8(at + i));
    const seen = add('i64', 'ebb');
    checks.push(
      { name: load.name, args: [seen, base], imms: [at] },
      { name: 'brcond_i64', args: [seen, add('i64', 'const', value)], imms: ['ne', tb.labels] },
    );
    at += load.bytes;
  }
  const stale: Op[] = [
    { name: 'set_label', args: [], imms: [tb.labels] },
    { name: 'exit', args: [], imms: [EXIT.STALE, 0, tb.pc] },
  ];
  return { ...tb, temps, ops: [...checks, ...tb.ops, ...stale], labels: tb.labels + 1 };
}
