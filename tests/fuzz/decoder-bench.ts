/**
 * Speed of the decoder: `node dist/tests/fuzz/decoder-bench.js [--file F --offset N --bytes N]`. Decodes a stretch of a file (node itself, by default) instruction by
 * instruction, again and again, and prints millions of decodes a second, the time to load the module, and that of the first decode (tables built).
 */
import { closeSync, openSync, readSync } from 'node:fs';
import { parseArgs } from 'node:util';

const BASE = 0x400000;
const ROUNDS = 8;

const { values } = parseArgs({
  options: {
    file: { type: 'string', default: process.execPath },
    offset: { type: 'string', default: '33554432' },
    bytes: { type: 'string', default: '1000000' },
  },
});

const fd = openSync(values.file, 'r');
const bytes = new Uint8Array(Number(values.bytes));
const size = readSync(fd, bytes, 0, bytes.length, Number(values.offset));
closeSync(fd);

const beforeImport = performance.now();
const { decode, isInsn } = await import('../../frontend/x86-64/decoder.js');
const beforeFirst = performance.now();
const reader = { bytes, base: BASE, readable: (addr: number) => size - (addr - BASE) };
decode(reader, BASE);
const afterFirst = performance.now();
console.log(
  `import ${(beforeFirst - beforeImport).toFixed(1)} ms, first decode ${(afterFirst - beforeFirst).toFixed(1)} ms`,
);

for (let round = 0; round < ROUNDS; round++) {
  const start = performance.now();
  let count = 0;
  let bad = 0;
  for (let at = BASE; at < BASE + size - 15; count++) {
    const insn = decode(reader, at);
    if (isInsn(insn)) at += insn.length;
    else {
      bad++;
      at++;
    }
  }
  const ms = performance.now() - start;
  console.log(`${(count / ms / 1000).toFixed(2)} million decodes/s (${count} decodes, ${bad} not instructions)`);
}
