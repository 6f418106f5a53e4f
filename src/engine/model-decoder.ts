/** The decoder of a CPU model: the rows that it lacks are not there, so that their bytes are what they are on such a processor. In: a CpuModel. Out: a decode function. */
import { allRows, createDecoder, type Decode } from '../../frontend/x86-64/decoder.js';
import { DispatchTables } from '../../frontend/x86-64/table-build.js';
import { type CpuModel, rowsOf } from './cpu-model.js';

export function modelTables(model: CpuModel): DispatchTables {
  return new DispatchTables(rowsOf(model, allRows()));
}

export function modelDecoder(model: CpuModel): Decode {
  return createDecoder(modelTables(model));
}
