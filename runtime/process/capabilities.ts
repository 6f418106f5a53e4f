/**
 * Capabilities of a process: five sets of bits and the secure bits, and what changes of ids and execve make of them. In: sets, ids. Out: sets. Source: man 7 capabilities.
 * They say what the guest's own calls allow; whatever the host does for the guest, it does with the rights of lift64.
 */
import * as fs from 'node:fs';
import type { Ids } from './group.js';

/** Sets: bit n is capability n. */
export interface Capabilities {
  readonly inheritable: bigint;
  readonly permitted: bigint;
  readonly effective: bigint;
  readonly bounding: bigint;
  readonly ambient: bigint;
}

/** Numbers of those that are looked at. */
export const CAP = {
  SETGID: 6,
  SETUID: 7,
  SETPCAP: 8,
  SYS_RAWIO: 17,
  SYS_ADMIN: 21,
  SYS_NICE: 23,
  SYS_RESOURCE: 24,
  SYS_TTY_CONFIG: 26,
  SYSLOG: 34,
} as const;
export const LAST_CAP = 40;
export const ALL_CAPS = (1n << BigInt(LAST_CAP + 1)) - 1n;
export const capBit = (capability: number): bigint => 1n << BigInt(capability);

/** Secure bits; each is locked by the next one. */
export const SECURE = {
  NOROOT: 1,
  NO_SETUID_FIXUP: 4,
  KEEP_CAPS: 16,
  KEEP_CAPS_LOCKED: 32,
  NO_CAP_AMBIENT_RAISE: 64,
} as const;
export const SECURE_BITS = 0xff;
export const SECURE_LOCKS = 0xaa;

/** Of a process that nothing else is known of. */
export const capabilitiesOf = (euid: number): Capabilities => {
  const own = euid === 0 ? ALL_CAPS : 0n;
  return { inheritable: 0n, permitted: own, effective: own, bounding: ALL_CAPS, ambient: 0n };
};

/** Those of lift64 itself; undefined where the host does not tell. */
export function hostCapabilities(): Capabilities | undefined {
  let text: string;
  try {
    text = fs.readFileSync('/proc/self/status', 'latin1');
  } catch {
    return undefined;
  }
  const set = (name: string): bigint =>
    BigInt(`0x${new RegExp(`^Cap${name}:\\s*(\\w+)`, 'm').exec(text)?.[1] ?? '0'}`) & ALL_CAPS;
  return {
    inheritable: set('Inh'),
    permitted: set('Prm'),
    effective: set('Eff'),
    bounding: set('Bnd'),
    ambient: set('Amb'),
  };
}

const hasRoot = ({ uid, euid, suid }: Ids): boolean => uid === 0 || euid === 0 || suid === 0;

/** After user ids have changed. */
export function afterIds(caps: Capabilities, secure: number, before: Ids, after: Ids): Capabilities {
  if ((secure & SECURE.NO_SETUID_FIXUP) !== 0) return caps;
  let { permitted, effective, ambient } = caps;
  if (hasRoot(before) && !hasRoot(after)) {
    if ((secure & SECURE.KEEP_CAPS) === 0) permitted = effective = 0n;
    ambient = 0n;
  }
  if (before.euid === 0 && after.euid !== 0) effective = 0n;
  if (before.euid !== 0 && after.euid === 0) effective = permitted;
  return { ...caps, permitted, effective, ambient };
}

/** After execve of a program without capabilities of its own. */
export function afterExec(caps: Capabilities, secure: number, ids: Ids): Capabilities {
  const asRoot = (secure & SECURE.NOROOT) === 0;
  const gains = asRoot && (ids.uid === 0 || ids.euid === 0);
  const permitted = (gains ? caps.inheritable | caps.bounding : 0n) | caps.ambient;
  return { ...caps, permitted, effective: asRoot && ids.euid === 0 ? permitted : caps.ambient };
}
