/**
 * Who may use a terminal: controlling terminals, and what background processes may not do. In: a terminal and the calling thread's port. Out: 0, or -errno with signals
 * sent. Never called with the region's lock held. Source: man 4 tty, man 2 ioctl_tty (TIOCSCTTY), man 3 termios (TOSTOP); POSIX 11.1.4 (terminal access control).
 */
import { EIO, ENOTTY, EPERM, ERESTARTSYS, ESRCH } from '../../linux/errno.js';
import { SIGCONT, SIGHUP, SIGTTIN, SIGTTOU } from '../../linux/signals.js';
import { TTY } from '../layout.js';
import type { KernelPort } from '../kernel-port.js';
import { LFLAG } from './termios.js';
import type { Tty } from './tty.js';

/** True: the calling process is in the background of its controlling terminal `tty`. */
function inBackground(tty: Tty, port: KernelPort): boolean {
  if (port.jobs?.terminal !== tty.index) return false;
  const foreground = tty.get(TTY.FOREGROUND);
  return foreground !== 0 && foreground !== port.processGroup;
}

/** Before a read: background processes are stopped, or get EIO where that is of no use. */
export function mayRead(tty: Tty, port: KernelPort): number {
  const { jobs } = port;
  if (jobs === undefined || !inBackground(tty, port)) return 0;
  if (jobs.shrugsOff(SIGTTIN) || jobs.isOrphaned()) return -EIO;
  jobs.signalGroup(port.processGroup, SIGTTIN);
  return -ERESTARTSYS;
}

/** Before a change of modes, and before a write where TOSTOP is set. */
export function mayChange(tty: Tty, port: KernelPort): number {
  const { jobs } = port;
  if (jobs === undefined || !inBackground(tty, port) || jobs.shrugsOff(SIGTTOU)) return 0;
  if (jobs.isOrphaned()) return -EIO;
  jobs.signalGroup(port.processGroup, SIGTTOU);
  return -ERESTARTSYS;
}

export function mayWrite(tty: Tty, port: KernelPort): number {
  return (tty.lflag & LFLAG.TOSTOP) === 0 ? 0 : mayChange(tty, port);
}

/** TIOCSCTTY, with its argument. */
export function takeTerminal(tty: Tty, port: KernelPort, steals: boolean): number {
  const { jobs } = port;
  if (jobs === undefined) return -EPERM;
  const session = tty.get(TTY.SESSION);
  if (jobs.isSessionLeader && session === port.session && jobs.terminal === tty.index) return 0;
  if (!jobs.isSessionLeader || jobs.terminal >= 0) return -EPERM;
  if (session !== 0 && session !== port.session) {
    if (!steals || !jobs.isRoot) return -EPERM;
    jobs.dropTerminal(session, tty.index);
  }
  becomeTerminal(tty, port);
  return 0;
}

/** open(2) without O_NOCTTY: a session leader without one gets its controlling terminal. */
export function openedTerminal(tty: Tty, port: KernelPort): void {
  const { jobs } = port;
  if (jobs === undefined || !jobs.isSessionLeader || jobs.terminal >= 0 || tty.get(TTY.SESSION) !== 0) return;
  becomeTerminal(tty, port);
}

function becomeTerminal(tty: Tty, port: KernelPort): void {
  tty.s.locked(() => {
    tty.set(TTY.SESSION, port.session);
    tty.set(TTY.FOREGROUND, port.processGroup);
  });
  if (port.jobs !== undefined) port.jobs.terminal = tty.index;
}

/** TIOCNOTTY: of a session leader, the whole session loses the terminal. */
export function leaveTerminal(tty: Tty, port: KernelPort): number {
  const { jobs } = port;
  if (jobs?.terminal !== tty.index) return -ENOTTY;
  jobs.terminal = -1;
  if (!jobs.isSessionLeader) return 0;
  const foreground = tty.get(TTY.FOREGROUND);
  tty.s.locked(() => {
    tty.clearSession();
  });
  if (foreground !== 0) {
    jobs.signalGroup(foreground, SIGHUP);
    jobs.signalGroup(foreground, SIGCONT);
  }
  jobs.dropTerminal(port.session, tty.index);
  return 0;
}

/** The kernel's signal to the foreground process group, if there is one. */
export function signalForeground(tty: Tty, signal: number): void {
  const foreground = tty.get(TTY.FOREGROUND);
  if (foreground !== 0) tty.s.port.jobs?.signalGroup(foreground, signal);
}

/** TIOCSPGRP. */
export function setForeground(tty: Tty, port: KernelPort, group: number): number {
  const { jobs } = port;
  if (jobs?.terminal !== tty.index || tty.get(TTY.SESSION) !== port.session) return -ENOTTY;
  const allowed = mayChange(tty, port);
  if (allowed < 0) return allowed;
  const session = jobs.sessionOf(group);
  if (session === undefined) return -ESRCH;
  if (session !== port.session) return -EPERM;
  tty.s.locked(() => {
    tty.set(TTY.FOREGROUND, group);
  });
  return 0;
}
