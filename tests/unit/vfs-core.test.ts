/** Tables, descriptions, pipes, counters, locks and paths of the file layer, without system calls. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { EAGAIN, EBADF, EMFILE } from '../../runtime/linux/errno.js';
import { baseName, bytePath, dirName, fromBytes, hostBytes, joinPath, normalize } from '../../runtime/vfs/byte-path.js';
import {
  closeFd,
  closeOnExec,
  copyTable,
  installFile,
  isCloexec,
  openFds,
  pinFile,
  releaseTable,
  replaceFile,
  shareTable,
} from '../../runtime/vfs/fd-table.js';
import { copyFs, newFs, releaseFs, setUmask, umaskOf, workingDirectory } from '../../runtime/vfs/fs-struct.js';
import { PIPE_CAPACITY } from '../../runtime/vfs/layout.js';
import { lock, unlock } from '../../runtime/vfs/lock.js';
import { KIND, newFile, openPipe, putFile } from '../../runtime/vfs/open-files.js';
import { O_NONBLOCK } from '../../runtime/vfs/open-flags.js';
import { pipeFill, pipeReaders, pipeWriters, putIntoPipe, takeFromPipe } from '../../runtime/vfs/pipes.js';
import { addToCounter, COUNTER_MAX, counterValue, newCounter, takeCounter } from '../../runtime/vfs/counters.js';
import { findConflict, LOCK_END, LOCK_SPACE, LOCK_TYPE, locksHeld, setLock } from '../../runtime/vfs/record-locks.js';
import { fileTables } from '../../runtime/vfs/resources.js';
import { readFile } from '../../runtime/vfs/transfer.js';
import { FakeThread, newRegion } from './vfs-fake.js';

let dir = '';
let t: FakeThread;
beforeEach(() => {
  dir = fs.mkdtempSync(path.join(os.tmpdir(), 'lift64-vfs-'));
  t = new FakeThread(newRegion(), 1, dir);
});
afterEach(() => {
  releaseTable(t.files.state, t.files.table);
  fs.rmSync(dir, { recursive: true, force: true });
});

/** Whether the host descriptor is open. */
function hostOpen(fd: number): boolean {
  try {
    fs.fstatSync(fd);
    return true;
  } catch {
    return false;
  }
}

function hostFile(): { file: number; host: number } {
  const host = fs.openSync(path.join(dir, 'f'), 'w+');
  const file = newFile(t.files.state, { kind: KIND.FILE, flags: 2, hostFd: host, path: bytePath('/f') });
  return { file, host };
}

describe('byte paths', () => {
  test('any bytes go through', () => {
    const bytes = Buffer.from([0x2f, 0xff, 0xfe, 0x80, 0x61]);
    expect(hostBytes(fromBytes(bytes))).toEqual(bytes);
  });
  test('join, normalise, parts', () => {
    expect(joinPath(bytePath('/a'), 'b')).toBe('/a/b');
    expect(joinPath(bytePath('/'), 'b')).toBe('/b');
    expect(joinPath(bytePath('/a'), '/b')).toBe('/b');
    expect(normalize('//a/./b/../../../c/')).toBe('/c');
    expect(baseName('/a/b/')).toBe('b');
    expect(dirName('/a/b/')).toBe('/a');
    expect(dirName('/a')).toBe('/');
    expect(dirName('a')).toBe('.');
  });
});

describe('fd tables', () => {
  test('lowest free descriptor, limit, close', () => {
    const s = t.files.state;
    const { file, host } = hostFile();
    expect(installFile(s, t.files.table, file, false, 10)).toBe(0);
    const again = pinFile(s, t.files.table, 0);
    expect(again).toBe(file);
    expect(installFile(s, t.files.table, again, true, 10, 5)).toBe(5);
    expect(isCloexec(s, t.files.table, 5)).toBe(true);
    expect(isCloexec(s, t.files.table, 0)).toBe(false);
    const third = pinFile(s, t.files.table, 0);
    expect(installFile(s, t.files.table, third, false, 6, 5)).toBe(-EMFILE);
    putFile(s, third);
    expect(openFds(s, t.files.table)).toEqual([0, 5]);
    expect(closeFd(s, t.files.table, 0)).toBe(0);
    expect(closeFd(s, t.files.table, 0)).toBe(-EBADF);
    expect(hostOpen(host)).toBe(true);
    closeOnExec(s, t.files.table);
    expect(hostOpen(host)).toBe(false);
    expect(pinFile(s, t.files.table, 5)).toBe(-EBADF);
    expect(pinFile(s, t.files.table, -1)).toBe(-EBADF);
    expect(pinFile(s, t.files.table, 1 << 20)).toBe(-EBADF);
  });

  test('a copy holds the files, a shared table is one', () => {
    const s = t.files.state;
    const { file, host } = hostFile();
    installFile(s, t.files.table, file, false, 10);
    const copy = copyTable(s, t.files.table);
    closeFd(s, t.files.table, 0);
    expect(hostOpen(host)).toBe(true);
    shareTable(s, copy);
    releaseTable(s, copy);
    expect(openFds(s, copy)).toEqual([0]);
    releaseTable(s, copy);
    expect(hostOpen(host)).toBe(false);
  });

  test('replacing closes what was there', () => {
    const s = t.files.state;
    const a = hostFile();
    installFile(s, t.files.table, a.file, false, 10);
    const b = hostFile();
    replaceFile(s, t.files.table, 0, b.file, false);
    expect(hostOpen(a.host)).toBe(false);
    expect(hostOpen(b.host)).toBe(true);
  });

  test('the kernel side: 0 stays none', () => {
    const tables = fileTables(t.files.state);
    expect(tables.copyFiles(0)).toBe(0);
    expect(tables.shareFs(0)).toBe(0);
    const id = tables.copyFiles(t.files.table);
    expect(id).toBeGreaterThan(0);
    tables.putFiles(id);
  });
});

test('fs structs: copies are apart', () => {
  const s = t.files.state;
  const a = newFs(s, bytePath('/some/where'), 0o22);
  const b = copyFs(s, a);
  expect(setUmask(s, b, 0o77)).toBe(0o22);
  expect(umaskOf(s, a)).toBe(0o22);
  expect(workingDirectory(s, b).path).toBe('/some/where');
  releaseFs(s, a);
  releaseFs(s, b);
});

test('pipes: ring, wrap, atomic writes, ends', () => {
  const s = t.files.state;
  const ends = openPipe(s, 0);
  if (typeof ends === 'number') throw new Error('no pipe');
  const pipe = 0;
  const chunk = new Uint8Array(40000).map((_, i) => i * 7);
  const out = new Uint8Array(40000);
  for (let round = 0; round < 5; round++) {
    expect(putIntoPipe(s, pipe, chunk, false)).toBe(40000);
    expect(takeFromPipe(s, pipe, out)).toBe(40000);
    expect(out).toEqual(chunk);
  }
  expect(putIntoPipe(s, pipe, new Uint8Array(PIPE_CAPACITY - 10), false)).toBe(PIPE_CAPACITY - 10);
  expect(putIntoPipe(s, pipe, new Uint8Array(11), true)).toBe(0);
  expect(putIntoPipe(s, pipe, new Uint8Array(11), false)).toBe(10);
  expect(pipeFill(s, pipe)).toBe(PIPE_CAPACITY);
  expect([pipeReaders(s, pipe), pipeWriters(s, pipe)]).toEqual([1, 1]);
  putFile(s, ends.writer);
  expect([pipeReaders(s, pipe), pipeWriters(s, pipe)]).toEqual([1, 0]);
  putFile(s, ends.reader);
  expect([pipeReaders(s, pipe), pipeWriters(s, pipe)]).toEqual([0, 0]);
});

test('pipes: the last writer writes and goes while a reader finds the ring empty', () => {
  const s = t.files.state;
  const ends = openPipe(s, O_NONBLOCK);
  if (typeof ends === 'number') throw new Error('no pipe');
  const bytes = new Uint8Array(8);
  const read = (): number => readFile(t.files, ends.reader, bytes.length, () => [bytes]);
  const locked = s.locked.bind(s);
  s.locked = (fn) => {
    const result = locked(fn);
    s.locked = locked;
    expect(putIntoPipe(s, 0, new Uint8Array([1, 2, 3]), false)).toBe(3);
    putFile(s, ends.writer);
    return result;
  };
  expect(read()).toBe(-EAGAIN);
  expect(read()).toBe(3);
  expect(read()).toBe(0);
  putFile(s, ends.reader);
});

test('counters', () => {
  const s = t.files.state;
  const c = newCounter(s, 3, false);
  expect(addToCounter(s, c, 4n)).toBe(true);
  expect(takeCounter(s, c)).toBe(7n);
  expect(takeCounter(s, c)).toBeUndefined();
  expect(addToCounter(s, c, COUNTER_MAX)).toBe(true);
  expect(addToCounter(s, c, 1n)).toBe(false);
  expect(counterValue(s, c)).toBe(COUNTER_MAX);
  const semaphore = newCounter(s, 2, true);
  expect(takeCounter(s, semaphore)).toBe(1n);
  expect(takeCounter(s, semaphore)).toBe(1n);
  expect(takeCounter(s, semaphore)).toBeUndefined();
});

describe('record locks', () => {
  const id = { dev: 1n, ino: 0x1_0000_0002n };
  const range = (owner: number, type: number, start: number, end: number) => ({
    space: LOCK_SPACE.RECORD,
    owner,
    pid: owner,
    type,
    start,
    end,
  });

  test('conflicts', () => {
    const s = t.files.state;
    expect(setLock(s, id, range(1, LOCK_TYPE.EXCLUSIVE, 0, 10))).toBe(0);
    expect(setLock(s, id, range(2, LOCK_TYPE.SHARED, 5, 6))).toMatchObject({ owner: 1, start: 0, end: 10 });
    expect(setLock(s, id, range(2, LOCK_TYPE.SHARED, 10, 20))).toBe(0);
    expect(setLock(s, id, range(3, LOCK_TYPE.SHARED, 15, LOCK_END))).toBe(0);
    expect(setLock(s, id, range(1, LOCK_TYPE.EXCLUSIVE, 12, 13))).toMatchObject({ owner: 2 });
    expect(setLock(s, { dev: 1n, ino: 2n }, range(9, LOCK_TYPE.EXCLUSIVE, 0, LOCK_END))).toBe(0);
  });

  test('unlocking the middle splits, touching ranges join', () => {
    const s = t.files.state;
    setLock(s, id, range(1, LOCK_TYPE.EXCLUSIVE, 0, 30));
    setLock(s, id, range(1, LOCK_TYPE.NONE, 10, 20));
    expect(locksHeld(s)).toBe(2);
    expect(findConflict(s, id, range(2, LOCK_TYPE.SHARED, 12, 18))).toBeUndefined();
    expect(findConflict(s, id, range(2, LOCK_TYPE.SHARED, 19, 21))).toMatchObject({ start: 20, end: 30 });
    setLock(s, id, range(1, LOCK_TYPE.EXCLUSIVE, 10, 20));
    expect(locksHeld(s)).toBe(1);
    setLock(s, id, range(1, LOCK_TYPE.SHARED, 10, 20));
    expect(locksHeld(s)).toBe(3);
    setLock(s, id, range(1, LOCK_TYPE.NONE, 0, LOCK_END));
    expect(locksHeld(s)).toBe(0);
  });
});

test('a mutex names its holder', () => {
  const words = new Int32Array(new SharedArrayBuffer(8));
  lock(words, 0, 7);
  expect(words[0]).toBe(8);
  unlock(words, 0);
  lock(words, 0, 3);
  expect(words[0]).toBe(4);
  unlock(words, 0);
  expect(words[0]).toBe(0);
});
