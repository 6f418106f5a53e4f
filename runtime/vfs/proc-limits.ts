/** /proc/PID/limits. In: limits by RLIMIT_*. Out: text. Source: man 5 proc_pid_limits. */

/** Name and unit of each limit, in Linux's order, which is that of the numbers. */
const ROWS: readonly (readonly [string, string])[] = [
  ['Max cpu time', 'seconds'],
  ['Max file size', 'bytes'],
  ['Max data size', 'bytes'],
  ['Max stack size', 'bytes'],
  ['Max core file size', 'bytes'],
  ['Max resident set', 'bytes'],
  ['Max processes', 'processes'],
  ['Max open files', 'files'],
  ['Max locked memory', 'bytes'],
  ['Max address space', 'bytes'],
  ['Max file locks', 'locks'],
  ['Max pending signals', 'signals'],
  ['Max msgqueue size', 'bytes'],
  ['Max nice priority', ''],
  ['Max realtime priority', ''],
  ['Max realtime timeout', 'us'],
];
const INFINITE = 0xffff_ffff_ffff_ffffn;

export function limitsText(limits: readonly { readonly soft: bigint; readonly hard: bigint }[]): string {
  const value = (v: bigint): string => (v === INFINITE ? 'unlimited' : String(v)).padEnd(20);
  const line = (name: string, soft: string, hard: string, unit: string): string =>
    `${name.padEnd(25)} ${soft} ${hard} ${unit.padEnd(10)}\n`;
  const rows = ROWS.map(([name, unit], i) =>
    line(name, value(limits[i]?.soft ?? INFINITE), value(limits[i]?.hard ?? INFINITE), unit),
  );
  return line('Limit', 'Soft Limit'.padEnd(20), 'Hard Limit'.padEnd(20), 'Units') + rows.join('');
}
