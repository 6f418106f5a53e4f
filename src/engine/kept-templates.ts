/** The templates that the build has made. In: a CPU model. Out: a snapshot for TemplateCache, which all threads of the run share; undefined where the model has other instructions, or there is no such file. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { BUILT } from './built-files.js';
import { cpuModel, type CpuModel, DEFAULT_CPU } from './cpu-model.js';

export function keptTemplates(model: CpuModel): Int32Array | undefined {
  if (model.features.join() !== cpuModel(DEFAULT_CPU).features.join()) return undefined;
  try {
    const fd = openSync(BUILT.templates, 'r');
    try {
      const shared = new Int32Array(new SharedArrayBuffer(fstatSync(fd).size));
      readSync(fd, shared);
      return shared;
    } finally {
      closeSync(fd);
    }
  } catch {
    return undefined;
  }
}
