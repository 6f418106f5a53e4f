/**
 * /proc/PID/stat, statm and status. In: ProcSource. Out: text. Source: man 5 proc; fields that lift64 does not know are 0.
 */
import type { ProcSource } from './kernel-port.js';

const PAGE = 4096;
const STATE_NAMES: Readonly<Record<string, string>> = {
  R: 'running',
  S: 'sleeping',
  D: 'disk sleep',
  T: 'stopped',
  Z: 'zombie',
  X: 'dead',
};

export function statLine(proc: ProcSource, pid: number, tid: number): string {
  const t = proc.task(tid);
  const zeros = (n: number): number[] => new Array<number>(n).fill(0);
  const fields = [
    t.ppid,
    t.pgrp,
    t.session,
    // tty_nr, tpgid, flags, minflt, cminflt, majflt, cmajflt
    0,
    -1,
    ...zeros(5),
    t.userTicks,
    t.systemTicks,
    // cutime, cstime
    ...zeros(2),
    20 + t.nice,
    t.nice,
    proc.threads(pid).length,
    // itrealvalue
    0,
    t.startTicks,
    t.vsize,
    Math.floor(t.rss / PAGE),
    // rsslim
    '18446744073709551615',
    // startcode, endcode, startstack, kstkesp, kstkeip
    ...zeros(5),
    // The masks of signals 1 to 31.
    BigInt.asUintN(31, t.sigPending),
    BigInt.asUintN(31, t.sigBlocked),
    BigInt.asUintN(31, t.sigIgnored),
    BigInt.asUintN(31, t.sigCaught),
    // wchan, nswap, cnswap
    ...zeros(3),
    17,
    // processor, rt_priority, policy, delayacct_blkio_ticks, guest_time, cguest_time, start_data .. env_end, exit_code
    ...zeros(14),
  ];
  return `${String(tid)} (${proc.comm(tid)}) ${t.state} ${fields.map(String).join(' ')}\n`;
}

export function statmLine(proc: ProcSource, tid: number): string {
  const t = proc.task(tid);
  const pages = (bytes: number): string => String(Math.floor(bytes / PAGE));
  return `${pages(t.vsize)} ${pages(t.rss)} 0 0 0 ${pages(t.rss)} 0\n`;
}

export function statusText(proc: ProcSource, pid: number, tid: number): string {
  const t = proc.task(tid);
  const kib = (bytes: number): string => `${String(Math.floor(bytes / 1024)).padStart(8)} kB`;
  const mask = (m: bigint): string => BigInt.asUintN(64, m).toString(16).padStart(16, '0');
  const ids = (all: readonly [number, number, number]): string => [...all, all[1]].join('\t');
  const fields: readonly (readonly [string, string | number])[] = [
    ['Name', proc.comm(tid)],
    ['State', `${t.state} (${STATE_NAMES[t.state] ?? 'unknown'})`],
    ['Tgid', pid],
    ['Ngid', 0],
    ['Pid', tid],
    ['PPid', t.ppid],
    ['TracerPid', 0],
    ['Uid', ids(t.uids)],
    ['Gid', ids(t.gids)],
    ['FDSize', 64],
    ['Groups', t.gids[0]],
    ['VmPeak', kib(t.vsize)],
    ['VmSize', kib(t.vsize)],
    ['VmLck', kib(0)],
    ['VmHWM', kib(t.rss)],
    ['VmRSS', kib(t.rss)],
    ['Threads', proc.threads(pid).length],
    ['SigPnd', mask(t.sigPending)],
    ['ShdPnd', mask(0n)],
    ['SigBlk', mask(t.sigBlocked)],
    ['SigIgn', mask(t.sigIgnored)],
    ['SigCgt', mask(t.sigCaught)],
    ['NoNewPrivs', 0],
    ['Seccomp', 0],
  ];
  return fields.map(([name, value]) => `${name}:\t${String(value)}\n`).join('');
}
