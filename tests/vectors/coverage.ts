/**
 * What the recorded vectors cover. In: the files of tests/vectors. Out: cases by form of the tables (table-forms.ts), and in all.
 * A case is counted once in all; at the forms, as one of the instruction alone, or as one of the programs and sequences that it stands in.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { decode, isInsn } from '../../frontend/x86-64/decoder.js';
import { codeReader } from '../support/insn-machine.js';
import { parseIntegerVectors } from '../support/integer-vectors.js';
import { parseVectors } from '../support/vectors.js';
import { RECORD_SIZE, X87Record } from '../support/x87-records.js';
import { formOf } from './table-forms.js';

export interface FormCases {
  alone: number;
  within: number;
}

export interface Coverage {
  readonly forms: ReadonlyMap<string, FormCases>;
  /** Cases by file. */
  readonly files: ReadonlyMap<string, number>;
  /** Cases of instructions alone, and of several together. */
  readonly alone: number;
  readonly within: number;
}

/** Files of vectors in text. */
export const VECTOR_FILES = ['sse', 'sse-sequences', 'sse4', 'vex', 'float'] as const;
const PC = 0x1000;

const read = (name: string): Uint8Array => readFileSync(join('tests', 'vectors', name));

export function coverage(): Coverage {
  const forms = new Map<string, FormCases>();
  const files = new Map<string, number>();
  const total = { alone: 0, within: 0 };
  const count = (file: string, code: Uint8Array, cases: number): void => {
    files.set(file, (files.get(file) ?? 0) + cases);
    const keys = new Set<string>();
    let instructions = 0;
    for (let at = 0; at < code.length; instructions++) {
      const insn = decode(codeReader(code.subarray(at), PC), PC);
      if (!isInsn(insn)) break;
      keys.add(formOf(insn).key);
      at += insn.length;
    }
    const kind = instructions === 1 ? 'alone' : 'within';
    total[kind] += cases;
    for (const key of keys) {
      const known = forms.get(key) ?? { alone: 0, within: 0 };
      known[kind] += cases;
      forms.set(key, known);
    }
  };
  for (const { code, cases } of parseIntegerVectors(read('integer.txt.gz'))) count('integer.txt.gz', code, cases.length);
  for (const name of VECTOR_FILES.map((file) => `${file}.txt.gz`))
    for (const { code, cases } of parseVectors(gunzipSync(read(name)).toString()).forms) count(name, code, cases.length);
  const x87 = gunzipSync(read('x87.bin.gz'));
  for (let at = 0; at < x87.length; at += RECORD_SIZE)
    count('x87.bin.gz', new X87Record(x87.subarray(at, at + RECORD_SIZE)).code, 1);
  return { forms, files, ...total };
}
