/**
 * -strace: one line a system call, in the form of QEMU's linux-user. In: the row's formats, the arguments, the result. Out: text with a newline.
 * Source: DESIGN.md section 8; QEMU linux-user's -strace output.
 *
 * Formats of SyscallRow.args: FORMATS below. A name in front of a value: `p:child_stack` prints `child_stack=0x...`.
 * A call's line is printed when it has returned, with the arguments as they were at the entry, so that lines of several threads do not mix; a call that does not
 * return (ret: 'none') is printed at its entry.
 */
import { hex } from '../../src/base/hex.js';
import type { GuestMemory, SyscallArgs, SyscallResult, SyscallRow } from './context.js';
import { errnoText } from './errno.js';
import { SI_KERNEL, SI_QUEUE, SI_TIMER, SI_TKILL, SI_USER, signalName } from './signals.js';
import {
  ACCESS_FLAGS,
  ACCESS_MODES,
  AT_FLAGS,
  CLOCKS,
  CLONE_FLAGS,
  FCNTL,
  FCNTL_LINUX,
  type FlagNames,
  FUTEX_OPS,
  MADVICE,
  MMAP_FLAGS,
  MMAP_PROT,
  MREMAP_FLAGS,
  MSYNC_FLAGS,
  OPEN_FLAGS,
  RLIMITS,
  SIGMASK_HOW,
  WAIT_FLAGS,
  WHENCE,
} from './strace-flags.js';
import { readTimePair } from './structs.js';

type Format = (a: SyscallArgs, i: number, mem: GuestMemory) => string;

/** Longest string that a line shows whole. */
const LONGEST = 4096;

/** How each kind of argument is printed. */
const FORMATS: Readonly<Record<string, Format>> = {
  /** int, unsigned, long, unsigned long in decimal; int and long in hex (0 is `0`). */
  d: (a, i) => String(a.i32(i)),
  u: (a, i) => String(a.u32(i)),
  ld: (a, i) => String(a.i64(i)),
  lu: (a, i) => String(a.u64(i)),
  x: (a, i) => (a.u64(i) === 0n ? '0' : `0x${hex(a.u64(i))}`),
  lx: (a, i) => (a.u64(i) === 0n ? '0' : `0x${hex(a.u64(i))}`),
  /** Pointers: 16 digits, 0 is NULL; `ptr`: 0 in digits too. */
  p: (a, i) => pointer(a.u64(i)),
  ptr: (a, i) => `0x${hex(a.u64(i), 16)}`,
  /** String in guest memory; octal file mode. */
  s: (a, i, mem) => quoted(mem, a.ptr(i), a.u64(i)),
  o: (a, i) => (a.u32(i) === 0 ? '0' : `0${a.u32(i).toString(8)}`),
  /** Signal number. */
  S: (a, i) => signalName(a.i32(i)),
  sh: named(SIGMASK_HOW),
  /** File descriptor of an ...at call. */
  at: (a, i) => (a.i32(i) === -100 ? 'AT_FDCWD' : String(a.i32(i))),
  /** Flags: clone, open, mmap's prot and flags, wait, AT_*, access, msync, mremap. */
  cf: (a, i) => cloneFlags(a.u32(i)),
  of: (a, i) => openFlags(a.u32(i)),
  mp: (a, i) => (a.u32(i) === 0 ? 'PROT_NONE' : flags(MMAP_PROT, a.u32(i))),
  ms: (a, i) => flags(MMAP_FLAGS, a.u32(i)),
  wo: (a, i) => flags(WAIT_FLAGS, a.u32(i)),
  af: (a, i) => flags(AT_FLAGS, a.u32(i)),
  am: (a, i) => (a.u32(i) === 0 ? 'F_OK' : flags(ACCESS_FLAGS, a.u32(i))),
  my: (a, i) => flags(MSYNC_FLAGS, a.u32(i)),
  mr: (a, i) => flags(MREMAP_FLAGS, a.u32(i)),
  /** Constants: futex operation, clock, resource limit, whence, madvise, fcntl. */
  fx: (a, i) => futexOp(a.u32(i)),
  ck: named(CLOCKS),
  rl: named(RLIMITS),
  wh: named(WHENCE),
  mv: named(MADVICE),
  fc: (a, i) => FCNTL_LINUX[a.u32(i)] ?? FCNTL[a.u32(i)] ?? String(a.i32(i)),
  /** timespec in guest memory; `tsu`: an unused one may be a number. */
  ts: (a, i, mem) => timespec(a, i, mem),
  tsu: (a, i, mem) => timespec(a, i, mem),
};

/** The formats that rows may use. */
export function isFormat(format: string): boolean {
  return Object.hasOwn(FORMATS, format.split(':')[0] ?? '');
}

function pointer(v: bigint): string {
  return v === 0n ? 'NULL' : `0x${hex(v, 16)}`;
}

function named(names: readonly (string | undefined)[]): Format {
  return (a, i) => names[a.u32(i)] ?? String(a.i32(i));
}

/** Names joined by `|`, what is left over in hex; 0 when nothing is set. */
function flags(names: FlagNames, value: number): string {
  let out = '';
  let rest = value >>> 0;
  for (const [mask, name] of names) {
    if ((rest & mask) >>> 0 !== mask) continue;
    out += (out === '' ? '' : '|') + name;
    rest = (rest & ~mask) >>> 0;
  }
  if (rest !== 0) out += `${out === '' ? '' : '|'}0x${hex(rest)}`;
  return out === '' ? '0' : out;
}

/** The exit signal, in hex, follows the flags. */
function cloneFlags(value: number): string {
  const signal = value & 0xff;
  const names = flags(CLONE_FLAGS, value & ~0xff);
  if (names === '0') return `0x${hex(signal)}`;
  return signal === 0 ? names : `${names}|0x${hex(signal)}`;
}

function openFlags(value: number): string {
  const more = flags(OPEN_FLAGS, value & ~3);
  const mode = ACCESS_MODES[value & 3] ?? '';
  return more === '0' ? mode : `${mode}|${more}`;
}

function futexOp(value: number): string {
  const prefix = (value & 0x80 ? 'FUTEX_PRIVATE_FLAG|' : '') + (value & 0x100 ? 'FUTEX_CLOCK_REALTIME|' : '');
  return prefix + (FUTEX_OPS[value & 0x7f] ?? String(value & 0x7f));
}

function timespec(a: SyscallArgs, i: number, mem: GuestMemory): string {
  if (a.u64(i) === 0n) return 'NULL';
  const ts = readTimePair(mem, a.ptr(i));
  return ts === undefined ? pointer(a.u64(i)) : `{tv_sec = ${ts.sec},tv_nsec = ${ts.frac}}`;
}

/** A C string in quotes; unprintable bytes as `\n`, `\t` or octal. What can't be read prints as a pointer. */
function quoted(mem: GuestMemory, addr: number, raw: bigint): string {
  if (raw === 0n) return 'NULL';
  const bytes = mem.cstring(addr, LONGEST);
  if (bytes === undefined) return pointer(raw);
  let out = '"';
  for (const b of bytes) {
    if (b === 0x22 || b === 0x5c) out += `\\${String.fromCharCode(b)}`;
    else if (b >= 0x20 && b < 0x7f) out += String.fromCharCode(b);
    else if (b === 10) out += '\\n';
    else if (b === 9) out += '\\t';
    else out += `\\${b.toString(8)}`;
  }
  return `${out}"`;
}

/** `4459 read(3,0x6af860,100)`: before the result. */
export function straceEntry(tid: number, row: SyscallRow, a: SyscallArgs, mem: GuestMemory): string {
  const args = row.args === '' ? [] : row.args.split(',');
  const texts = args.map((format, i) => {
    const [kind = '', name] = format.split(':');
    // A format that is not there prints as hex; the table's test finds it.
    const text = (FORMATS[kind] ?? FORMATS['x'])?.(a, i, mem) ?? '';
    return name === undefined ? text : `${name}=${text}`;
  });
  return `${tid} ${row.name}(${texts.join(',')})`;
}

/** ` = 0` and so on, newline included. */
export function straceResult(row: SyscallRow, result: SyscallResult): string {
  if (result < 0 && result > -4096) {
    const n = -Number(result);
    return ` = -1 errno=${n} (${errnoText(n)})\n`;
  }
  return row.ret === 'p' ? ` = 0x${hex(result, 16)}\n` : ` = ${result}\n`;
}

const SI_CODES: Readonly<Record<number, string>> = {
  [SI_USER]: 'SI_USER',
  [SI_KERNEL]: 'SI_KERNEL',
  [SI_QUEUE]: 'SI_QUEUE',
  [SI_TIMER]: 'SI_TIMER',
  [SI_TKILL]: 'SI_TKILL',
};

/** `--- SIGUSR1 {si_signo=SIGUSR1, si_code=SI_USER, si_pid=4459, si_uid=0} ---`, from a siginfo. */
export function straceSignal(info: DataView): string {
  const name = signalName(info.getInt32(0, true));
  const code = info.getInt32(8, true);
  const fault = code > 0 && code !== SI_KERNEL && name !== 'SIGCHLD';
  const rest = fault
    ? `si_addr=0x${hex(info.getBigUint64(16, true))}`
    : `si_pid=${info.getInt32(16, true)}, si_uid=${info.getUint32(20, true)}`;
  return `--- ${name} {si_signo=${name}, si_code=${SI_CODES[code] ?? code}, ${rest}} ---\n`;
}
