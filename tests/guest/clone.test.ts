/**
 * The clone example, known for the emulator bug that it once uncovered: the child of clone must start at the instruction after the SYSCALL.
 * All three builds, every tier, singlestep, checked IR, complete logs; and the broken rule, which the test must see.
 */
import { describe, expect, test } from '@jest/globals';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseElf } from '../../frontend/elf/elf.js';
import { type GuestRun, loadRuns, type Outcome, runGuest } from './driver.js';

const runs = loadRuns('examples').filter((r) => r.tags.includes('clone'));
const run = (build: string): GuestRun => {
  const found = runs.find((r) => r.name === `clone-${build}`);
  if (found === undefined) throw new Error(`no run clone-${build} in the manifest`);
  return found;
};

function expectRight(o: Outcome): void {
  const lines = o.stdout.toString().trimEnd().split('\n');
  for (const child of ['A', 'B']) {
    expect(lines.filter((l) => l.startsWith(`child ${child}: `))).toEqual(
      Array.from({ length: 10 }, (_, i) => `child ${child}: line ${i + 1} of 10`),
    );
  }
  expect(lines).toContain('status1=0x0');
  expect(lines).toContain('status2=0x0');
  expect(lines.at(-1)).toBe('End of clone test.');
  expect(lines).toHaveLength(23);
  expect([o.status, o.signal]).toEqual([0, null]);
}

/** Runs with -D and gives the log besides. */
function logged(
  r: GuestRun,
  options: readonly string[],
  env: Readonly<Record<string, string>> = {},
): { outcome: Outcome; log: string } {
  const dir = mkdtempSync(join(tmpdir(), 'lift64-log-'));
  try {
    const file = join(dir, 'log');
    const outcome = runGuest(r, [...options, '-D', file], 60_000, env);
    return { outcome, log: readFileSync(file, 'utf8') };
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

const BUILDS = ['static', 'dynamic', 'musl'] as const;
const MODES = [
  ['--tier', 'interp'],
  ['--tier', 'compiled'],
  ['--tier', 'auto'],
  ['-singlestep'],
  ['--check-ir'],
] as const;

describe.each(BUILDS)('clone-%s', (build) => {
  test.each(MODES.map((m) => [m.join(' '), m] as const))('%s', (_name, options) => {
    expectRight(runGuest(run(build), options));
  });

  test('-d exec,nochain -strace: both TIDs in the log, in the documented formats', () => {
    const { outcome, log } = logged(run(build), ['-d', 'exec,nochain', '-strace']);
    expectRight(outcome);
    const lines = log.split('\n');
    const clones = lines.flatMap((l) => {
      const m = /^(\d+) clone\(CLONE_VM\|CLONE_FS\|CLONE_FILES\|0x11,child_stack=0x[0-9a-f]{16},.*\) = (\d+)$/.exec(l);
      return m === null ? [] : [{ parent: m[1], child: m[2] }];
    });
    expect(clones).toHaveLength(2);
    for (const { parent, child } of clones) {
      expect(lines.some((l) => new RegExp(`^\\[${parent ?? ''}\\] Trace 0x[0-9a-f]+ \\[[0-9a-f]{16}\\]`).test(l))).toBe(
        true,
      );
      expect(lines.some((l) => new RegExp(`^\\[${child ?? ''}\\] Trace 0x[0-9a-f]+ \\[[0-9a-f]{16}\\]`).test(l))).toBe(
        true,
      );
      expect(
        lines.filter((l) => new RegExp(`^${child ?? ''} write\\(1,0x[0-9a-f]+,\\d+\\) = \\d+$`).test(l)),
      ).toHaveLength(10);
    }
  });
});

/** Pcs of the log's exec lines by TID, in order. */
function tracedPcs(log: string): Map<number, number[]> {
  const byTid = new Map<number, number[]>();
  for (const m of log.matchAll(/^\[(\d+)\] Trace 0x[0-9a-f]+ \[([0-9a-f]{16})\]/gm)) {
    const tid = Number(m[1]);
    byTid.set(tid, [...(byTid.get(tid) ?? []), parseInt(m[2] ?? '', 16)]);
  }
  return byTid;
}

/** True when the SYSCALL instruction stands at `pc` of the file. */
function isSyscall(file: string, pc: number): boolean {
  const bytes = readFileSync(file);
  const s = parseElf(bytes, file).segments.find((g) => pc >= g.address && pc < g.address + g.fileSize);
  const at = s === undefined ? -1 : s.offset + pc - s.address;
  return bytes[at] === 0x0f && bytes[at + 1] === 0x05;
}

function firstPcsOfChildren(env: Readonly<Record<string, string>>): { parent: number[]; first: number[] } {
  const { log } = logged(run('musl'), ['-singlestep', '-d', 'exec'], env);
  const [parent, ...children] = [...tracedPcs(log)].sort(([a], [b]) => a - b).map(([, pcs]) => pcs);
  return { parent: parent ?? [], first: children.map((pcs) => pcs[0] ?? 0) };
}

describe('the pc is advanced before a system call is dispatched', () => {
  const { file } = run('musl');

  test("the children's first TB is the instruction after the SYSCALL", () => {
    const { parent, first } = firstPcsOfChildren({});
    expect(first).toHaveLength(2);
    for (const pc of first) {
      expect(isSyscall(file, pc - 2)).toBe(true);
      expect(parent).toContain(pc - 2);
      expect(parent).toContain(pc);
    }
  });

  test('with the rule reverted the children start at the SYSCALL, and the clone test fails', () => {
    const r = run('musl');
    const broken = runGuest(r, ['--tier', 'interp'], 20_000, { LIFT64_BREAK: 'late-pc' });
    expect(() => {
      expectRight(broken);
    }).toThrow();
  });
});
