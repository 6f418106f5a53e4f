/**
 * Tables and fs structs as the kernel's clone and exit want them. In: a state. Out: FileResources (runtime/process/kernel.ts).
 */
import { copyTable, releaseTable, shareTable } from './fd-table.js';
import { copyFs, releaseFs, shareFs } from './fs-struct.js';
import type { VfsState } from './state.js';
import { endSession } from './terminal/pairs.js';

/** Ids are table and struct numbers; 0 is none, and stays none. */
export interface FileTables {
  shareFiles(id: number): number;
  copyFiles(id: number): number;
  putFiles(id: number): void;
  shareFs(id: number): number;
  copyFs(id: number): number;
  putFs(id: number): void;
  endSession(terminal: number, session: number): number;
}

export function fileTables(s: VfsState): FileTables {
  return {
    shareFiles(id) {
      if (id !== 0) shareTable(s, id);
      return id;
    },
    copyFiles: (id) => (id === 0 ? 0 : copyTable(s, id)),
    putFiles(id) {
      if (id !== 0) releaseTable(s, id);
    },
    shareFs(id) {
      if (id !== 0) shareFs(s, id);
      return id;
    },
    copyFs: (id) => (id === 0 ? 0 : copyFs(s, id)),
    putFs(id) {
      if (id !== 0) releaseFs(s, id);
    },
    endSession: (terminal, session) => endSession(s, terminal, session),
  };
}
