/**
 * Capabilities: capget, capset, and what prctl does with them. In: threads, arguments. Out: rows; results of prctl. Source: man 2 capget, man 7 capabilities, man 2 prctl.
 */
import {
  ALL_CAPS,
  CAP,
  capBit,
  type Capabilities,
  LAST_CAP,
  SECURE,
  SECURE_BITS,
  SECURE_LOCKS,
} from '../../process/capabilities.js';
import type { SyscallArgs, SyscallResult, SyscallRow } from '../context.js';
import { EFAULT, EINVAL, EPERM, ESRCH } from '../errno.js';
import type { Thread } from '../thread.js';

const VERSIONS = [
  [0x1998_0330, 1],
  [0x2007_1026, 2],
  [0x2008_0522, 2],
] as const;
const LATEST = 0x2008_0522;
/** Bytes of struct __user_cap_data_struct: effective, permitted, inheritable. */
const DATA_BYTES = 12;

/** The header: words of each set, and the process id. -EFAULT; -EINVAL, or 0 for a question about the version alone. */
function headerAt(t: Thread, header: number, data: number): { readonly words: number; readonly pid: number } | number {
  const version = t.mem.readU32(header);
  const pid = t.mem.readI32(header + 4);
  if (version === undefined) return -EFAULT;
  const words = VERSIONS.find(([v]) => v === version)?.[1];
  if (words === undefined) {
    if (!t.mem.writeU32(header, LATEST)) return -EFAULT;
    return data === 0 ? 0 : -EINVAL;
  }
  return pid === undefined ? -EFAULT : { words, pid };
}

function capget(t: Thread, a: SyscallArgs): SyscallResult {
  const data = a.ptr(1);
  const header = headerAt(t, a.ptr(0), data);
  if (typeof header === 'number') return header;
  if (header.pid < 0) return -EINVAL;
  const task = header.pid === 0 ? t.task : t.kernel.findTask(header.pid);
  if (task === undefined) return -ESRCH;
  if (data === 0) return 0;
  const bytes = new Uint8Array(DATA_BYTES * header.words);
  const v = new DataView(bytes.buffer);
  const { effective, permitted, inheritable } = task.group.capabilities;
  for (let w = 0; w < header.words; w++)
    [effective, permitted, inheritable].forEach((set, i) => {
      v.setUint32(w * DATA_BYTES + i * 4, Number(BigInt.asUintN(32, set >> BigInt(32 * w))), true);
    });
  return t.mem.write(data, bytes) ? 0 : -EFAULT;
}

const within = (set: bigint, limit: bigint): boolean => (set & ~limit) === 0n;

function capset(t: Thread, a: SyscallArgs): SyscallResult {
  const header = headerAt(t, a.ptr(0), a.ptr(1));
  if (typeof header === 'number') return header === 0 ? -EINVAL : header;
  const { group } = t.task;
  if (header.pid !== 0 && header.pid !== t.task.tid) return -EPERM;
  const bytes = t.mem.read(a.ptr(1), DATA_BYTES * header.words);
  if (bytes === undefined) return -EFAULT;
  const v = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const set = (i: number): bigint => {
    let value = 0n;
    for (let w = 0; w < header.words; w++) value |= BigInt(v.getUint32(w * DATA_BYTES + i * 4, true)) << BigInt(32 * w);
    return value & ALL_CAPS;
  };
  const [effective, permitted, inheritable] = [set(0), set(1), set(2)];
  return t.kernel.lock(() => {
    const old = group.capabilities;
    const addable = group.hasCapability(CAP.SETPCAP) ? ALL_CAPS : old.inheritable | old.permitted;
    if (!within(inheritable, addable) || !within(inheritable, old.inheritable | old.bounding)) return -EPERM;
    if (!within(permitted, old.permitted) || !within(effective, permitted)) return -EPERM;
    const ambient = old.ambient & permitted & inheritable;
    group.capabilities = { ...old, effective, permitted, inheritable, ambient };
    return 0;
  });
}

// ---------------------------------------------------------------- prctl

const PR = {
  GET_KEEPCAPS: 7,
  SET_KEEPCAPS: 8,
  CAPBSET_READ: 23,
  CAPBSET_DROP: 24,
  GET_SECUREBITS: 27,
  SET_SECUREBITS: 28,
  CAP_AMBIENT: 47,
} as const;

/** The operations of prctl on capabilities; undefined: it is none of them. */
export function capabilityPrctl(t: Thread, a: SyscallArgs): number | undefined {
  const { group } = t.task;
  const value = a.u64(1);
  const capability = value > BigInt(LAST_CAP) ? -1 : Number(value);
  switch (a.i32(0)) {
    case PR.GET_KEEPCAPS:
      return (group.secureBits & SECURE.KEEP_CAPS) === 0 ? 0 : 1;
    case PR.SET_KEEPCAPS:
      if (value > 1n) return -EINVAL;
      if ((group.secureBits & SECURE.KEEP_CAPS_LOCKED) !== 0) return -EPERM;
      group.secureBits = value === 0n ? group.secureBits & ~SECURE.KEEP_CAPS : group.secureBits | SECURE.KEEP_CAPS;
      return 0;
    case PR.CAPBSET_READ:
      if (capability < 0) return -EINVAL;
      return (group.capabilities.bounding & capBit(capability)) === 0n ? 0 : 1;
    case PR.CAPBSET_DROP:
      if (!group.hasCapability(CAP.SETPCAP)) return -EPERM;
      if (capability < 0) return -EINVAL;
      return change(t, (caps) => ({ ...caps, bounding: caps.bounding & ~capBit(capability) }));
    case PR.GET_SECUREBITS:
      return group.secureBits;
    case PR.SET_SECUREBITS:
      return setSecureBits(t, value);
    case PR.CAP_AMBIENT:
      return ambient(t, a);
    default:
      return undefined;
  }
}

function change(t: Thread, fn: (caps: Capabilities) => Capabilities): number {
  return t.kernel.lock(() => {
    t.task.group.capabilities = fn(t.task.group.capabilities);
    return 0;
  });
}

function setSecureBits(t: Thread, value: bigint): number {
  const { group } = t.task;
  const old = group.secureBits;
  const next = Number(value & BigInt(SECURE_BITS));
  const locked = (old & SECURE_LOCKS) >> 1;
  if (value !== BigInt(next) || ((old ^ next) & locked) !== 0 || (old & SECURE_LOCKS & ~next) !== 0) return -EPERM;
  if (!group.hasCapability(CAP.SETPCAP)) return -EPERM;
  group.secureBits = next;
  return 0;
}

const AMBIENT = { IS_SET: 1, RAISE: 2, LOWER: 3, CLEAR_ALL: 4 } as const;

function ambient(t: Thread, a: SyscallArgs): number {
  const { group } = t.task;
  const [operation, value] = [a.u64(1), a.u64(2)];
  if (a.u64(3) !== 0n || a.u64(4) !== 0n) return -EINVAL;
  if (operation === BigInt(AMBIENT.CLEAR_ALL))
    return value === 0n ? change(t, (caps) => ({ ...caps, ambient: 0n })) : -EINVAL;
  if (value > BigInt(LAST_CAP)) return -EINVAL;
  const bit = capBit(Number(value));
  const caps = group.capabilities;
  switch (Number(operation)) {
    case AMBIENT.IS_SET:
      return (caps.ambient & bit) === 0n ? 0 : 1;
    case AMBIENT.RAISE:
      if ((caps.permitted & caps.inheritable & bit) === 0n) return -EPERM;
      if ((group.secureBits & SECURE.NO_CAP_AMBIENT_RAISE) !== 0) return -EPERM;
      return change(t, (now) => ({ ...now, ambient: now.ambient | bit }));
    case AMBIENT.LOWER:
      return change(t, (now) => ({ ...now, ambient: now.ambient & ~bit }));
    default:
      return -EINVAL;
  }
}

const NOTE =
  'kept by the rules of Linux for a process, and looked at by calls that lift64 decides about; the host does what it does with the rights of lift64. Capabilities of program files are not looked at';

export const capabilityRows = [
  { nr: 125, name: 'capget', args: 'p,p', support: 'yes', handler: capget },
  { nr: 126, name: 'capset', args: 'p,p', support: 'partly', note: NOTE, handler: capset },
] as const satisfies readonly SyscallRow[];
