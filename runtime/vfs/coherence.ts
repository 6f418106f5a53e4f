/**
 * System calls on files that are mapped: shared mappings and their files agree. In: descriptions, ranges of bytes. Out: memory or file brought up to date. Source: man 2 mmap (MAP_SHARED).
 * Nothing is done, and nothing asked of the host, while no process has a shared mapping of a file that a descriptor may lead to. No lock of the file layer is held by the callers: the memory's may stop the world.
 */
import * as fs from 'node:fs';
import type { FileContext } from './file-context.js';
import { fileIdOf } from './file-stat.js';

/** The address space of the thread (runtime/memory/address-space.ts), which reaches those of other processes too. */
export interface FileMappings {
  readonly filesAreMapped: boolean;
  /** Runs `fn` while no page of a shared mapping goes from one process to another. */
  settled<T>(fn: () => T): T;
  fileWritten(id: { readonly dev: bigint; readonly ino: bigint }, offset: number, size: number): void;
  beforeFileRead(id: { readonly dev: bigint; readonly ino: bigint }): void;
  fileResized(id: { readonly dev: bigint; readonly ino: bigint }, size: number): void;
}

/** Before bytes of the file behind host descriptor `fd` are read. */
export function beforeRead(c: FileContext, fd: number): void {
  const id = c.mappings?.filesAreMapped === true ? fileIdOf(fd) : undefined;
  if (id !== undefined) c.mappings?.beforeFileRead(id);
}

/** Runs `fn`, which writes to a file and calls afterWrite, so that no page with the bytes from before reaches the file in between. */
export function whileWriting<T>(c: FileContext, fn: () => T): T {
  return c.mappings?.filesAreMapped === true ? c.mappings.settled(fn) : fn();
}

/** After `size` bytes at `offset` have been written; `offset` undefined: somewhere. */
export function afterWrite(c: FileContext, fd: number, offset: number | undefined, size: number): void {
  const id = c.mappings?.filesAreMapped === true ? fileIdOf(fd) : undefined;
  if (id !== undefined) c.mappings?.fileWritten(id, offset ?? 0, offset === undefined ? fs.fstatSync(fd).size : size);
}

/** After the file's size has been set. */
export function afterResize(c: FileContext, fd: number): void {
  const id = c.mappings?.filesAreMapped === true ? fileIdOf(fd) : undefined;
  if (id !== undefined) c.mappings?.fileResized(id, fs.fstatSync(fd).size);
}
