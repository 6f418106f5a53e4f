/**
 * Editing of the line that is being typed: erase, kill, word erase, reprint, literal next. In: a character in canonical mode. Out: the ring, echoes. The caller holds the
 * region's lock. Source: man 3 termios (canonical mode; ECHOE, ECHOK, ECHOKE, ECHOPRT, IUTF8).
 */
import { TTY } from '../layout.js';
import {
  continues,
  echoByte,
  echoRaw,
  eraseColumns,
  eraseTab,
  finishErasing,
  isControl,
  NL,
  type Sink,
} from './output.js';
import { CC, LFLAG } from './termios.js';
import { TTY_FLAG, type Tty } from './tty.js';

const TAB = 9;
const BACKSPACE = 8;
const CARET = 94;
const BACKSLASH = 92;
const TAB_STOP = 8;

/** True: `c`, not 0, was a character of editing, and has been obeyed. */
export function editLine(tty: Tty, sink: Sink, c: number): boolean {
  const { lflag } = tty;
  const extended = (lflag & LFLAG.IEXTEN) !== 0;
  const echoes = (lflag & LFLAG.ECHO) !== 0;
  if (c === tty.char(CC.ERASE)) erase(tty, sink, 'character');
  else if (c === tty.char(CC.KILL)) kill(tty, sink);
  else if (extended && c === tty.char(CC.WERASE)) erase(tty, sink, 'word');
  else if (extended && c === tty.char(CC.LNEXT)) literalNext(tty, sink);
  else if (extended && echoes && c === tty.char(CC.REPRINT)) reprint(tty, sink);
  else return false;
  return true;
}

function literalNext(tty: Tty, sink: Sink): void {
  tty.setFlag(TTY_FLAG.LNEXT, true);
  if ((tty.lflag & LFLAG.ECHO) === 0) return;
  finishErasing(tty, sink);
  if ((tty.lflag & LFLAG.ECHOCTL) !== 0) echoRaw(tty, sink, CARET, BACKSPACE);
}

function reprint(tty: Tty, sink: Sink): void {
  finishErasing(tty, sink);
  echoByte(tty, sink, tty.char(CC.REPRINT));
  echoRaw(tty, sink, NL);
  const head = tty.get(TTY.IN_HEAD);
  for (let at = tty.get(TTY.IN_LINE); at !== head; at = (at + 1) | 0) echoByte(tty, sink, tty.typedAt(at));
}

function kill(tty: Tty, sink: Sink): void {
  const { lflag } = tty;
  const visibly = LFLAG.ECHOK | LFLAG.ECHOKE | LFLAG.ECHOE;
  if (tty.get(TTY.IN_HEAD) === tty.get(TTY.IN_LINE)) return;
  if ((lflag & LFLAG.ECHO) !== 0 && (lflag & visibly) === visibly) {
    erase(tty, sink, 'line');
    return;
  }
  tty.set(TTY.IN_HEAD, tty.get(TTY.IN_LINE));
  if ((lflag & LFLAG.ECHO) === 0) return;
  finishErasing(tty, sink);
  echoByte(tty, sink, tty.char(CC.KILL));
  if ((lflag & LFLAG.ECHOK) !== 0) echoRaw(tty, sink, NL);
}

/** Takes characters off the end of the line, and off the screen. */
function erase(tty: Tty, sink: Sink, what: 'character' | 'word' | 'line'): void {
  const start = tty.get(TTY.IN_LINE);
  let inWord = false;
  while (tty.get(TTY.IN_HEAD) !== start) {
    const head = tty.get(TTY.IN_HEAD);
    let at = head;
    do at = (at - 1) | 0;
    while (continues(tty, tty.typedAt(at)) && at !== start);
    const c = tty.typedAt(at);
    // Bytes that begin no character stay.
    if (continues(tty, c)) break;
    if (what === 'word') {
      if (isWord(c)) inWord = true;
      else if (inWord) break;
    }
    tty.set(TTY.IN_HEAD, at);
    if ((tty.lflag & LFLAG.ECHO) !== 0) showErased(tty, sink, at, head, what === 'character');
    if (what === 'character') break;
  }
  if (tty.get(TTY.IN_HEAD) === start && (tty.lflag & LFLAG.ECHO) !== 0) finishErasing(tty, sink);
}

/** The character at `at`, up to `end`, is gone. */
function showErased(tty: Tty, sink: Sink, at: number, end: number, single: boolean): void {
  const { lflag } = tty;
  const c = tty.typedAt(at);
  if ((lflag & LFLAG.ECHOPRT) !== 0) {
    if (!tty.has(TTY_FLAG.ERASING)) {
      echoRaw(tty, sink, BACKSLASH);
      tty.setFlag(TTY_FLAG.ERASING, true);
    }
    for (let i = at; i !== end; i = (i + 1) | 0) echoByte(tty, sink, tty.typedAt(i));
  } else if (single && (lflag & LFLAG.ECHOE) === 0) {
    echoByte(tty, sink, tty.char(CC.ERASE));
  } else if (c === TAB) {
    eraseTab(tty, sink, tabWidth(tty, at));
  } else {
    const shows = (lflag & LFLAG.ECHOCTL) !== 0;
    if (isControl(c) && shows) eraseColumns(tty, sink, 1);
    if (!isControl(c) || shows) eraseColumns(tty, sink, 1);
  }
}

/** Columns that the tab at `at` takes. */
function tabWidth(tty: Tty, at: number): number {
  const start = tty.get(TTY.IN_LINE);
  let columns = 0;
  let afterTab = false;
  for (let i = at; i !== start;) {
    i = (i - 1) | 0;
    const c = tty.typedAt(i);
    if (c === TAB) {
      afterTab = true;
      break;
    }
    if (!isControl(c)) {
      if (!continues(tty, c)) columns++;
    } else if ((tty.lflag & LFLAG.ECHOCTL) !== 0) {
      columns += 2;
    }
  }
  if (!afterTab) columns += tty.get(TTY.LINE_COLUMN);
  return TAB_STOP - (columns % TAB_STOP);
}

function isWord(c: number): boolean {
  // Letters of ISO 8859-1, as the kernel's isalnum has them.
  return (
    c === 95 ||
    (c >= 48 && c <= 57) ||
    (c >= 65 && c <= 90) ||
    (c >= 97 && c <= 122) ||
    (c >= 0xc0 && c !== 0xd7 && c !== 0xf7)
  );
}
