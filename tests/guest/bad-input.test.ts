/** What lift64 says of bad usage and bad programs: one line, `lift64: ...`, with exit status 125, 126 or 127 and no stack trace (DESIGN.md, contracts). */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LIFT64, ROOT } from './driver.js';

const HELLO = join(ROOT, 'examples', 'bin', 'hello-asm');
const PT_LOAD = 1;

/** The offset of the program header of the first PT_LOAD. */
function loadHeader(elf: Buffer): number {
  const start = Number(elf.readBigUInt64LE(32));
  const headers = Array.from({ length: elf.readUInt16LE(56) }, (_, i) => start + i * 56);
  const at = headers.find((h) => elf.readUInt32LE(h) === PT_LOAD);
  if (at === undefined) throw new Error(`no PT_LOAD in ${HELLO}`);
  return at;
}

interface BadFile {
  readonly name: string;
  /** Changes a copy of hello-asm, or gives other contents. */
  readonly make: (elf: Buffer) => Buffer | undefined;
  readonly mode?: number;
  readonly says: RegExp;
}

const patch =
  (change: (elf: Buffer) => unknown): BadFile['make'] =>
  (elf) => {
    change(elf);
    return undefined;
  };

const FILES: readonly BadFile[] = [
  { name: 'text', make: () => Buffer.from('just some text\n'), says: /not an ELF program/ },
  { name: 'empty', make: () => Buffer.alloc(0), says: /empty file/ },
  { name: 'no-x-bit', make: () => undefined, mode: 0o644, says: /permission denied/ },
  { name: 'arm', make: patch((e) => e.writeUInt16LE(40, 18)), says: /for ARM, not x86-64/ },
  { name: 'aarch64', make: patch((e) => e.writeUInt16LE(183, 18)), says: /for AArch64, not x86-64/ },
  { name: '32-bit', make: patch((e) => e.writeUInt8(1, 4)), says: /32-bit ELF/ },
  { name: '32-bit-i386', make: patch((e) => (e.writeUInt8(1, 4), e.writeUInt16LE(3, 18))), says: /32-bit ELF/ },
  { name: 'big-endian', make: patch((e) => e.writeUInt8(2, 5)), says: /big-endian/ },
  { name: 'object', make: patch((e) => e.writeUInt16LE(1, 16)), says: /object file/ },
  { name: 'truncated-header', make: (e) => e.subarray(0, 40), says: /truncated ELF header: 40 of 64/ },
  { name: 'truncated-phdrs', make: (e) => e.subarray(0, 70), says: /program headers lie beyond the end/ },
  {
    name: 'truncated',
    make: (e) => e.subarray(0, 200),
    says: /PT_LOAD segment \d+ lies beyond the end/,
  },
  {
    name: 'load-beyond-file',
    make: patch((e) => {
      e.writeBigUInt64LE(0x1000000n, loadHeader(e) + 32);
      e.writeBigUInt64LE(0x1000000n, loadHeader(e) + 40);
    }),
    says: /PT_LOAD segment \d+ lies beyond the end/,
  },
  {
    name: 'overlapping',
    // The second header, PT_GNU_STACK, becomes a copy of the PT_LOAD.
    make: patch((e) => e.copy(e, loadHeader(e) + 56, loadHeader(e), loadHeader(e) + 56)),
    says: /PT_LOAD segments at 0x[0-9a-f]+ and 0x[0-9a-f]+ overlap/,
  },
  {
    name: 'outside-47-bits',
    make: patch((e) => e.writeBigUInt64LE(e.readBigUInt64LE(loadHeader(e) + 16) | (1n << 47n), loadHeader(e) + 16)),
    says: /outside of the 47-bit address space/,
  },
];

/** Command lines; {hello} is a good program, {tmp} a directory. */
const COMMANDS: readonly { args: readonly string[]; status: number; says: RegExp }[] = [
  { args: ['{tmp}/missing'], status: 127, says: /missing: no such file/ },
  { args: ['no-such-program-in-path'], status: 127, says: /no-such-program-in-path/ },
  { args: ['{tmp}/dir'], status: 126, says: /is a directory/ },
  { args: ['--no-such-option', '{hello}'], status: 125, says: /no-such-option/ },
  { args: [], status: 125, says: /no program given/ },
  { args: ['-strace'], status: 125, says: /no program given/ },
  { args: ['-d', 'nonsense', '{hello}'], status: 125, says: /unknown log item 'nonsense'/ },
  { args: ['-d'], status: 125, says: /d/ },
  { args: ['-dfilter', 'zz..yy', '{hello}'], status: 125, says: /bad address range 'zz\.\.yy'/ },
  { args: ['-dfilter', '0x10000000000000000', '{hello}'], status: 125, says: /bad address range/ },
  { args: ['-s', 'abc', '{hello}'], status: 125, says: /-s takes bytes .*'abc'/ },
  { args: ['-cpu', 'Pentium', '{hello}'], status: 125, says: /unknown CPU model 'Pentium'/ },
  { args: ['-cpu', 'max,+nonsense', '{hello}'], status: 125, says: /unknown CPU feature '\+nonsense'/ },
  { args: ['-seed', 'x', '{hello}'], status: 125, says: /-seed/ },
];

let tmp = '';

beforeAll(() => {
  tmp = mkdtempSync(join(tmpdir(), 'lift64-bad-'));
  mkdirSync(join(tmp, 'dir'));
  for (const f of FILES) {
    const elf = readFileSync(HELLO);
    writeFileSync(join(tmp, f.name), f.make(elf) ?? elf, { mode: f.mode ?? 0o755 });
  }
});

afterAll(() => {
  rmSync(tmp, { recursive: true, force: true });
});

function lift64(args: readonly string[]): { status: number | null; stdout: string; stderr: string } {
  const argv = args.map((a) => a.replaceAll('{tmp}', tmp).replaceAll('{hello}', HELLO));
  const r = spawnSync(process.execPath, [LIFT64, ...argv], { input: '', encoding: 'utf8', timeout: 30_000 });
  if (r.error !== undefined) throw r.error;
  return { status: r.status, stdout: r.stdout, stderr: r.stderr };
}

function expectOneLine(args: readonly string[], status: number, says: RegExp): void {
  const r = lift64(args);
  expect(r.stderr).toMatch(/^lift64: [^\n]+\n$/);
  expect(r.stderr).toMatch(says);
  expect({ status: r.status, stdout: r.stdout }).toEqual({ status, stdout: '' });
}

describe('bad programs', () => {
  test.each(FILES)('$name', ({ name, says }) => {
    expectOneLine([`{tmp}/${name}`], 126, says);
  });

  test('--debug adds the stack trace', () => {
    const r = lift64(['--debug', '{tmp}/arm']);
    expect(r.status).toBe(126);
    expect(r.stderr).toMatch(/^lift64: .*for ARM/m);
    expect(r.stderr).toMatch(/^ +at /m);
  });
});

describe('bad usage', () => {
  for (const { args, status, says } of COMMANDS)
    test(`lift64 ${args.join(' ')}`, () => {
      expectOneLine(args, status, says);
    });
});
