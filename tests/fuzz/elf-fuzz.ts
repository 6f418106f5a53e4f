/**
 * Mutated ELF headers through parser, symbol table and loader. In: a seed and a number of files. Out: what failed in any other way than by a ProgramError or an errno.
 * By itself: node dist/tests/fuzz/elf-fuzz.js [SEED] [FILES], 10,000 files by default.
 */
import { closeSync, fstatSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ProgramError } from '../../src/base/errors.js';
import { parseElf } from '../../frontend/elf/elf.js';
import { readSymbols } from '../../frontend/elf/symbols.js';
import { loadImage } from '../../runtime/process/exec-image.js';
import { makeSpace } from '../support/space.js';
import { makeElf, PT, text } from '../support/elf-maker.js';

export interface FuzzResult {
  /** One line each, with what reproduces it. */
  readonly failures: readonly string[];
  /** Files that the parser refused, and files that were mapped. */
  readonly rejected: number;
  readonly loaded: number;
  /** Most CPU time that one file took, milliseconds. */
  readonly slowest: number;
}

/** Park and Miller's generator: the same numbers everywhere. */
function generator(seed: number): (below: number) => number {
  let x = (seed % 2147483646) + 1;
  return (below) => {
    x = (x * 48271) % 2147483647;
    return x % below;
  };
}

/** Values that headers break at. */
const EDGES = [
  0n,
  1n,
  2n,
  7n,
  0x38n,
  0x40n,
  0xfffn,
  0x1000n,
  0x1001n,
  0x7fff_ffffn,
  0x8000_0000n,
  0xffff_ffffn,
  0x1_0000_0000n,
  0xdfff_f000n,
  0xe000_0000n,
  0x7fff_ffff_f000n,
  0x8000_0000_0000n,
  0x7fff_ffff_ffff_ffffn,
  0x8000_0000_0000_0000n,
  0xffff_ffff_ffff_f000n,
  0xffff_ffff_ffff_ffffn,
];
const HEADERS = 64 + 12 * 56;

function seeds(): Uint8Array[] {
  const files = ['hello-asm', 'hello', 'hello-dynamic', 'hello-static-pie'].map((name) =>
    readFileSync(join('examples', 'bin', name)),
  );
  return [
    ...files,
    makeElf({
      phdrs: [
        text(),
        { type: PT.LOAD, vaddr: 0x60_1000, offset: 4096, filesz: 4000, memsz: 0x5000, flags: 6 },
        { type: PT.INTERP, offset: 1000, filesz: 7 },
        { type: PT.GNU_STACK, flags: 6 },
      ],
      patches: [[1000, '/ld.so\0']],
    }),
  ];
}

/** Changes one to four places of the headers: bits, bytes, or whole fields to values at edges. */
function mutate(original: Uint8Array, random: (below: number) => number): Uint8Array {
  const file = Uint8Array.from(original);
  const v = new DataView(file.buffer);
  const limit = Math.min(HEADERS, file.length) - 8;
  for (let n = 1 + random(4); n > 0; n--) {
    // Half of the time past the identification, which refuses most changes at once.
    const at = random(2) === 0 ? random(limit) : 16 + random(limit - 16);
    const edge = EDGES[random(EDGES.length)] ?? 0n;
    switch (random(5)) {
      case 0:
        file[at] = (file[at] ?? 0) ^ (1 << random(8));
        break;
      case 1:
        file[at] = random(256);
        break;
      case 2:
        v.setUint16(at & ~1, Number(edge & 0xffffn), true);
        break;
      case 3:
        v.setBigUint64(at & ~7, edge, true);
        break;
      default:
        v.setBigUint64(at & ~7, BigInt.asUintN(64, v.getBigUint64(at & ~7, true) + BigInt(random(8192) - 4096)), true);
    }
  }
  return random(20) === 0 ? file.subarray(0, random(file.length)) : file;
}

export function runElfFuzz(seed: number, count: number): FuzzResult {
  const random = generator(seed);
  const originals = seeds();
  const dir = mkdtempSync(join(tmpdir(), 'lift64-elf-'));
  const path = join(dir, 'program');
  const failures: string[] = [];
  let rejected = 0;
  let loaded = 0;
  let slowest = 0;
  try {
    for (let i = 0; i < count; i++) {
      const file = mutate(originals[random(originals.length)] ?? new Uint8Array(0), random);
      const before = process.cpuUsage();
      try {
        if (tryFile(file, path)) loaded++;
        else rejected++;
      } catch (e) {
        failures.push(`seed ${seed} file ${i}: ${e instanceof Error ? (e.stack ?? e.message) : String(e)}`);
      }
      const { user, system } = process.cpuUsage(before);
      slowest = Math.max(slowest, (user + system) / 1000);
    }
  } finally {
    rmSync(dir, { recursive: true });
  }
  return { failures, rejected, loaded, slowest };
}

/** True when the file was mapped; false when it was refused as it should be. */
function tryFile(file: Uint8Array, path: string): boolean {
  const symbols = readSymbols(file);
  symbols.at(0x40_1000);
  symbols.named('main');
  let elf;
  try {
    elf = parseElf(file, 'program');
  } catch (e) {
    if (e instanceof ProgramError && e.exitCode === 126 && !e.message.includes('\n')) return false;
    throw e;
  }
  writeFileSync(path, file);
  const hostFd = openSync(path, 'r');
  try {
    const { mm, bytes } = makeSpace();
    const image = loadImage(mm, bytes, {
      program: { ...elf, hostFd, path, size: fstatSync(hostFd).size },
      interpreter: undefined,
      argv: ['program'],
      env: [],
      execfn: 'program',
      stackSize: 8 << 20,
      random: new Uint8Array(16),
      ids: { uid: 0, euid: 0, gid: 0, egid: 0 },
      hwcap: 0,
      hwcap2: 0,
    });
    mm.reset();
    return typeof image !== 'number';
  } finally {
    closeSync(hostFd);
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [seed = '1', count = '10000'] = process.argv.slice(2);
  const r = runElfFuzz(Number(seed), Number(count));
  for (const line of r.failures) console.error(line);
  console.log(
    `elf-fuzz: ${count} files, ${r.rejected} refused, ${r.loaded} loaded, ${r.failures.length} failures, slowest ${r.slowest.toFixed(1)} ms`,
  );
  process.exitCode = r.failures.length === 0 ? 0 : 1;
}
