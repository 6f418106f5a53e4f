/**
 * /proc/PID/stat, statm and status. In: ProcSource. Out: text; undefined when the thread is gone. Source: man 5 proc; fields that lift64 does not know are 0.
 */
import type { MachineInfo } from './file-context.js';
import type { ProcSource } from './kernel-port.js';

const PAGE = 4096;
/** Device number of /dev/pts/0. */
const PTS_MAJOR = 136;
const STATE_NAMES: Readonly<Record<string, string>> = {
  R: 'running',
  S: 'sleeping',
  D: 'disk sleep',
  T: 'stopped',
  t: 'tracing stop',
  Z: 'zombie',
  X: 'dead',
};

const zeros = (n: number): number[] => new Array<number>(n).fill(0);

/** Of the thread, or, when `whole`, of all threads of the process together. */
export function statLine(proc: ProcSource, pid: number, tid: number, whole: boolean): string | undefined {
  const t = proc.task(tid);
  if (t === undefined) return undefined;
  const others = whole ? proc.threads(pid).filter((id) => id !== tid) : [];
  const cpu = others.reduce((sum, id) => sum + (proc.task(id)?.cpuTicks ?? 0), t.cpuTicks + (whole ? t.deadTicks : 0));
  const fields = [
    t.ppid,
    t.pgrp,
    t.session,
    t.terminal < 0 ? 0 : PTS_MAJOR * 256 + t.terminal,
    // tpgid, flags, minflt, cminflt, majflt, cmajflt
    -1,
    ...zeros(5),
    // utime, stime: not told apart.
    cpu,
    0,
    ...t.childTicks,
    20 + t.nice,
    t.nice,
    Math.max(1, proc.threads(pid).length),
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
    BigInt.asUintN(31, t.sigPending | t.groupPending),
    BigInt.asUintN(31, t.sigBlocked),
    BigInt.asUintN(31, t.sigIgnored),
    BigInt.asUintN(31, t.sigCaught),
    // wchan, nswap, cnswap
    ...zeros(3),
    17,
    // processor
    0,
    t.priority,
    t.policy,
    // delayacct_blkio_ticks, guest_time, cguest_time, start_data .. env_end
    ...zeros(10),
    t.state === 'Z' ? t.exitStatus : 0,
  ];
  return `${String(tid)} (${proc.comm(tid)}) ${t.state} ${fields.map(String).join(' ')}\n`;
}

export function statmLine(proc: ProcSource, tid: number): string | undefined {
  const t = proc.task(tid);
  if (t === undefined) return undefined;
  const pages = (bytes: number): string => String(Math.floor(bytes / PAGE));
  return `${pages(t.vsize)} ${pages(t.rss)} 0 0 0 ${pages(t.rss)} 0\n`;
}

export interface StatusMore {
  readonly umask: number;
  /** Highest descriptor in use, plus one. */
  readonly descriptors: number;
  readonly machine: MachineInfo;
}

export function statusText(proc: ProcSource, pid: number, tid: number, more: StatusMore): string | undefined {
  const t = proc.task(tid);
  if (t === undefined) return undefined;
  const kib = (bytes: number): string => `${String(Math.floor(bytes / 1024)).padStart(8)} kB`;
  const mask = (m: bigint): string => BigInt.asUintN(64, m).toString(16).padStart(16, '0');
  const ids = (all: readonly [number, number, number]): string => [...all, all[1]].join('\t');
  const memory: readonly (readonly [string, string | number])[] =
    t.state === 'Z'
      ? []
      : [
          ['VmPeak', kib(t.vsize)],
          ['VmSize', kib(t.vsize)],
          ['VmLck', kib(0)],
          ['VmPin', kib(0)],
          ['VmHWM', kib(t.rss)],
          ['VmRSS', kib(t.rss)],
          ['RssAnon', kib(t.rss)],
          ['RssFile', kib(0)],
          ['RssShmem', kib(0)],
          ['VmData', kib(t.vsize)],
          ['VmStk', kib(0)],
          ['VmExe', kib(0)],
          ['VmLib', kib(0)],
          ['VmPTE', kib(0)],
          ['VmSwap', kib(0)],
          ['HugetlbPages', kib(0)],
        ];
  const { cpus } = more.machine;
  const fields: readonly (readonly [string, string | number])[] = [
    ['Name', proc.comm(tid)],
    ['Umask', more.umask.toString(8).padStart(4, '0')],
    ['State', `${t.state} (${STATE_NAMES[t.state] ?? 'unknown'})`],
    ['Tgid', pid],
    ['Ngid', 0],
    ['Pid', tid],
    ['PPid', t.ppid],
    ['TracerPid', t.tracer],
    ['Uid', ids(t.uids)],
    ['Gid', ids(t.gids)],
    ['FDSize', Math.max(64, 2 ** Math.ceil(Math.log2(more.descriptors + 1)))],
    ['Groups', t.groups.map((g) => `${g >>> 0} `).join('')],
    ['NStgid', pid],
    ['NSpid', tid],
    ['NSpgid', t.pgrp],
    ['NSsid', t.session],
    ...memory,
    ['CoreDumping', 0],
    ['THP_enabled', 0],
    ['Threads', Math.max(1, proc.threads(pid).length)],
    ['SigQ', '0/4000'],
    ['SigPnd', mask(t.sigPending)],
    ['ShdPnd', mask(t.groupPending)],
    ['SigBlk', mask(t.sigBlocked)],
    ['SigIgn', mask(t.sigIgnored)],
    ['SigCgt', mask(t.sigCaught)],
    ['CapInh', mask(t.capabilities.inheritable)],
    ['CapPrm', mask(t.capabilities.permitted)],
    ['CapEff', mask(t.capabilities.effective)],
    ['CapBnd', mask(t.capabilities.bounding)],
    ['CapAmb', mask(t.capabilities.ambient)],
    ['NoNewPrivs', t.noNewPrivileges ? 1 : 0],
    ['Seccomp', 0],
    ['Seccomp_filters', 0],
    ['Cpus_allowed', (2 ** Math.min(cpus, 32) - 1).toString(16)],
    ['Cpus_allowed_list', cpus === 1 ? '0' : `0-${cpus - 1}`],
    ['Mems_allowed', '1'],
    ['Mems_allowed_list', '0'],
    ['voluntary_ctxt_switches', 0],
    ['nonvoluntary_ctxt_switches', 0],
  ];
  return fields.map(([name, value]) => `${name}:\t${String(value)}\n`).join('');
}
