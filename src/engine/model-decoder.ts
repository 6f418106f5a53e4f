/** The decoder of a CPU model: the rows that it lacks are not there, so that their bytes are what they are on such a processor. In: a CpuModel. Out: a decode function. */
import { allRows, createDecoder, type Decode } from '../../frontend/x86-64/decoder.js';
import { DispatchTables } from '../../frontend/x86-64/table-build.js';
import { type CpuModel, rowsOf } from './cpu-model.js';

/** Those made last: a worker runs guest threads of one model, one after another, and making the tables takes a millisecond or more. */
let last: { readonly model: CpuModel; readonly tables: DispatchTables } | undefined;

export function modelTables(model: CpuModel): DispatchTables {
  if (last?.model !== model) last = { model, tables: new DispatchTables(rowsOf(model, allRows())) };
  return last.tables;
}

export function modelDecoder(model: CpuModel): Decode {
  return createDecoder(modelTables(model));
}
