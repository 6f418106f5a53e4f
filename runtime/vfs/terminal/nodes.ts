/**
 * /dev/ptmx, /dev/tty and /dev/pts. In: path components. Out: nodes; undefined where the host has it. Source: man 4 ptmx, man 4 tty, man 4 pts.
 */
import * as fs from 'node:fs';
import { ENOENT } from '../../linux/errno.js';
import type { FileContext } from '../file-context.js';
import { madeUp, makeDev, S_IFCHR, type StatRecord } from '../file-stat.js';
import { TTY } from '../layout.js';
import { DT, type SpecialNode } from '../special-node.js';
import type { VfsState } from '../state.js';
import { slaveNumbers } from './pairs.js';
import { findPair, HOST_TTY, Tty } from './tty.js';

/** Device numbers: of slaves, and of /dev/tty and /dev/ptmx. */
const PTS_MAJOR = 136;
const TTYAUX_MAJOR = 5;
const TTY_MINOR = 0;
const PTMX_MINOR = 2;
/** Device of the file system of /dev/pts, as a Linux kernel commonly gives it; inode of slave 0. */
const DEVPTS = makeDev(0, 24);
const FIRST_INODE = 3n;

const statSlave = (tty: Tty): StatRecord => {
  const number = tty.get(TTY.NUMBER);
  return madeUp(S_IFCHR | tty.get(TTY.MODE), Number(FIRST_INODE) + number, {
    dev: DEVPTS,
    rdev: makeDev(PTS_MAJOR, number),
    uid: BigInt(tty.get(TTY.UID)),
    gid: BigInt(tty.get(TTY.GID)),
  });
};

export const statTerminal = (tty: Tty): StatRecord =>
  tty.isHost ? fs.fstatSync(tty.get(TTY.HOST_FD), { bigint: true }) : statSlave(tty);

export const statMaster = (): StatRecord =>
  madeUp(S_IFCHR | 0o666, 2, { dev: DEVPTS, rdev: makeDev(TTYAUX_MAJOR, PTMX_MINOR) });
const statTty = (): StatRecord => madeUp(S_IFCHR | 0o666, 1, { dev: DEVPTS, rdev: makeDev(TTYAUX_MAJOR, TTY_MINOR) });

/** `name` is below /dev, `rest` below that. */
export function terminalNode(
  c: FileContext,
  name: 'pts' | 'ptmx' | 'tty',
  rest: readonly string[],
): SpecialNode | number | undefined {
  if (name === 'ptmx')
    return rest.length === 0
      ? { type: 'terminal', terminal: 'ptmx', status: statMaster, twin: '/dev/ptmx' }
      : undefined;
  if (name === 'tty') {
    if (rest.length > 0) return undefined;
    return { type: 'terminal', terminal: 'tty', status: statTty, twin: '/dev/tty' };
  }
  const [slave, ...more] = rest;
  if (slave === undefined) return { type: 'directory', entries: () => entries(c.state), twin: '/dev/pts' };
  if (more.length > 0) return undefined;
  if (slave === 'ptmx') return { type: 'terminal', terminal: 'ptmx', status: statMaster };
  const { state: s } = c;
  const host = new Tty(s, HOST_TTY);
  if (host.get(TTY.USED) !== 0 && slave === String(host.get(TTY.NUMBER))) return undefined;
  const tty = /^(0|[1-9]\d*)$/.test(slave) ? findPair(s, Number(slave)) : undefined;
  if (tty === undefined) return -ENOENT;
  return { type: 'terminal', terminal: Number(slave), status: () => statSlave(tty) };
}

function entries(s: VfsState): { name: string; type: number }[] {
  const host = new Tty(s, HOST_TTY);
  const own = host.get(TTY.USED) !== 0 && host.get(TTY.NUMBER) >= 0 ? [host.get(TTY.NUMBER)] : [];
  return ['ptmx', ...[...own, ...slaveNumbers(s)].map(String)].map((name) => ({ name, type: DT.CHR }));
}
