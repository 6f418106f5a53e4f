/**
 * The decoder of a CPU model: the rows that it lacks are not there, so that their bytes are what they are on such a processor; and the templates of its instructions. In: a CpuModel. Out: a decode function, a
 * TemplateCache. A worker keeps those of the model that it was asked for last: every process and thread of a run has the same one.
 */
import { allRows, createDecoder, type Decode } from '../../frontend/x86-64/decoder.js';
import { DispatchTables } from '../../frontend/x86-64/table-build.js';
import { type CpuModel, rowsOf } from './cpu-model.js';
import { TemplateCache } from './template-cache.js';

interface Kept {
  readonly model: CpuModel;
  readonly tables: DispatchTables;
  readonly decode: Decode;
  /** By whether floating point is precise. */
  readonly templates: Map<boolean, TemplateCache>;
}

let last: Kept | undefined;

function kept(model: CpuModel): Kept {
  if (last?.model === model) return last;
  const tables = new DispatchTables(rowsOf(model, allRows()));
  last = { model, tables, decode: createDecoder(tables), templates: new Map() };
  return last;
}

/** The tables are made for the first instruction: a program of which all code has been kept decodes none. */
export const modelDecoder =
  (model: CpuModel): Decode =>
  (reader, addr) =>
    kept(model).decode(reader, addr);

/** `made`: templates that the build has made for these tables (kept-templates.ts); none of them is of precise floating point. */
export function modelTemplates(model: CpuModel, precise: boolean, made: Int32Array | undefined): TemplateCache {
  const { tables, decode, templates } = kept(model);
  let cache = templates.get(precise);
  if (cache === undefined) {
    cache = new TemplateCache(decode, tables, { preciseFloat: precise }, precise ? undefined : made);
    templates.set(precise, cache);
  }
  return cache;
}
