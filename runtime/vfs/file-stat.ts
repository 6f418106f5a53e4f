/**
 * File status: records of the host or made up for lift64's own objects, and their x86-64 structures. In: descriptions, records. Out: bytes.
 * Source: man 2 stat, man 2 statx, man 3 makedev, man 2 statfs; struct stat and struct statfs of x86-64.
 */
import * as fs from 'node:fs';

/** What all structures are made from: Node's BigIntStats is one. Times in ns since 1970. */
export type StatRecord = Pick<
  fs.BigIntStats,
  | 'dev'
  | 'ino'
  | 'mode'
  | 'nlink'
  | 'uid'
  | 'gid'
  | 'rdev'
  | 'size'
  | 'blksize'
  | 'blocks'
  | 'atimeNs'
  | 'mtimeNs'
  | 'ctimeNs'
  | 'birthtimeNs'
>;

export const S_IFMT = 0o170000;
export const S_IFSOCK = 0o140000;
export const S_IFLNK = 0o120000;
export const S_IFREG = 0o100000;
export const S_IFBLK = 0o060000;
export const S_IFDIR = 0o040000;
export const S_IFCHR = 0o020000;
export const S_IFIFO = 0o010000;

export const STAT_BYTES = 144;
export const STATX_BYTES = 256;
export const STATFS_BYTES = 120;
/** STATX_BASIC_STATS and STATX_BTIME. */
const STATX_MASK = 0xfff;

const NS = 1_000_000_000n;

/** Floor division: times before 1970 have ns of 0 or more too. */
function seconds(ns: bigint): [bigint, bigint] {
  const rest = ((ns % NS) + NS) % NS;
  return [(ns - rest) / NS, rest];
}

/** struct stat. */
export function encodeStat(r: StatRecord): Uint8Array {
  const bytes = new Uint8Array(STAT_BYTES);
  const v = new DataView(bytes.buffer);
  v.setBigUint64(0, BigInt.asUintN(64, r.dev), true);
  v.setBigUint64(8, BigInt.asUintN(64, r.ino), true);
  v.setBigUint64(16, r.nlink, true);
  v.setUint32(24, Number(r.mode), true);
  v.setUint32(28, Number(r.uid), true);
  v.setUint32(32, Number(r.gid), true);
  v.setBigUint64(40, BigInt.asUintN(64, r.rdev), true);
  v.setBigInt64(48, r.size, true);
  v.setBigInt64(56, r.blksize, true);
  v.setBigInt64(64, r.blocks, true);
  let at = 72;
  for (const ns of [r.atimeNs, r.mtimeNs, r.ctimeNs]) {
    const [s, rest] = seconds(ns);
    v.setBigInt64(at, s, true);
    v.setBigInt64(at + 8, rest, true);
    at += 16;
  }
  return bytes;
}

export const majorOf = (dev: bigint): number => Number(((dev >> 8n) & 0xfffn) | ((dev >> 32n) & 0xfffff000n));
export const minorOf = (dev: bigint): number => Number((dev & 0xffn) | ((dev >> 12n) & 0xffffff00n));
export const makeDev = (major: number, minor: number): bigint =>
  ((BigInt(major) & 0xfffn) << 8n) |
  ((BigInt(major) & 0xfffff000n) << 32n) |
  (BigInt(minor) & 0xffn) |
  ((BigInt(minor) & 0xffffff00n) << 12n);

/** struct statx; all that a record has, whatever was asked for. */
export function encodeStatx(r: StatRecord): Uint8Array {
  const bytes = new Uint8Array(STATX_BYTES);
  const v = new DataView(bytes.buffer);
  v.setUint32(0, STATX_MASK, true);
  v.setUint32(4, Number(r.blksize), true);
  v.setUint32(16, Number(r.nlink), true);
  v.setUint32(20, Number(r.uid), true);
  v.setUint32(24, Number(r.gid), true);
  v.setUint16(28, Number(r.mode), true);
  v.setBigUint64(32, BigInt.asUintN(64, r.ino), true);
  v.setBigUint64(40, BigInt.asUintN(64, r.size), true);
  v.setBigUint64(48, BigInt.asUintN(64, r.blocks), true);
  let at = 64;
  for (const ns of [r.atimeNs, r.birthtimeNs, r.ctimeNs, r.mtimeNs]) {
    const [s, rest] = seconds(ns);
    v.setBigInt64(at, s, true);
    v.setUint32(at + 8, Number(rest), true);
    at += 16;
  }
  v.setUint32(128, majorOf(r.rdev), true);
  v.setUint32(132, minorOf(r.rdev), true);
  v.setUint32(136, majorOf(r.dev), true);
  v.setUint32(140, minorOf(r.dev), true);
  return bytes;
}

/** A file system's figures, as fs.statfsSync gives them. */
export type StatFsRecord = Pick<
  fs.StatsFsBase<bigint>,
  'type' | 'bsize' | 'blocks' | 'bfree' | 'bavail' | 'files' | 'ffree'
> & { readonly readOnly?: boolean };

const ST_RDONLY = 1n;
const ST_VALID_RELATIME = 0x1020n;

/** struct statfs. Node knows neither f_fsid (0 here) nor more mount flags than lift64's own (ST_RELATIME here). */
export function encodeStatFs(r: StatFsRecord): Uint8Array {
  const bytes = new Uint8Array(STATFS_BYTES);
  const v = new DataView(bytes.buffer);
  const flags = ST_VALID_RELATIME | (r.readOnly === true ? ST_RDONLY : 0n);
  [r.type, r.bsize, r.blocks, r.bfree, r.bavail, r.files, r.ffree, 0n, 255n, r.bsize, flags].forEach((value, i) => {
    v.setBigUint64(i * 8, BigInt.asUintN(64, value), true);
  });
  return bytes;
}

/** A record for what the host does not have. `mode` with the type bits. */
export function madeUp(mode: number, ino: number, more: Partial<StatRecord> = {}): StatRecord {
  const now = BigInt(Date.now()) * 1_000_000n;
  return {
    dev: makeDev(0, 14),
    ino: BigInt(ino),
    mode: BigInt(mode),
    nlink: 1n,
    uid: BigInt(process.getuid?.() ?? 0),
    gid: BigInt(process.getgid?.() ?? 0),
    rdev: 0n,
    size: 0n,
    blksize: 4096n,
    blocks: 0n,
    atimeNs: now,
    mtimeNs: now,
    ctimeNs: now,
    birthtimeNs: 0n,
    ...more,
  };
}

/** Device and inode behind a host descriptor; undefined when the host has closed it. */
export function fileIdOf(hostFd: number): { dev: bigint; ino: bigint } | undefined {
  try {
    const { dev, ino } = fs.fstatSync(hostFd, { bigint: true });
    return { dev, ino };
  } catch {
    return undefined;
  }
}
