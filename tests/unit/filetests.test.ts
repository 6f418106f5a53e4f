/** Runs the filetests (tests/filetests/README.md). LIFT64_BLESS=1 writes the outputs into the files. */
import { describe, expect, test } from '@jest/globals';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { InternalError } from '../../src/base/errors.js';
import type { TempId } from '../../src/base/ids.js';
import { IrBuilder } from '../../src/ir/builder.js';
import { parseTbs, TbReader } from '../../src/ir/parse.js';
import { printTb } from '../../src/ir/print.js';
import { verifyTb } from '../../src/ir/verify.js';
import { optimise, type Pass, PASSES } from '../../src/opt/pipeline.js';
import { runSequenceCase } from '../support/sequence-filetest.js';

const ROOT = join(process.cwd(), 'tests', 'filetests');
const BLESS = process.env['LIFT64_BLESS'] === '1';

interface Case {
  readonly name: string;
  readonly run: string;
  readonly input: string;
  expected: string;
}

function verdict(fn: () => void): string {
  try {
    fn();
    return 'ok\n';
  } catch (e) {
    if (!(e instanceof InternalError)) throw e;
    return [e.message, ...e.details].join('\n') + '\n';
  }
}

/** Replays a script through the builder. The builder numbers temps in order of allocation, as the reader that resolves the names does. */
function build(script: string): void {
  const reader = new TbReader(0x1000, 4, 0);
  const b = new IrBuilder(0x1000);
  const ids = new Map<TempId, TempId>();
  const real = (id: TempId): TempId => {
    const known = ids.get(id);
    if (known !== undefined) return known;
    const t = reader.finish().temps[id];
    return t?.kind === 'const' ? b.constant(t.type, t.value ?? 0n) : id;
  };
  script.split('\n').forEach((raw, i) => {
    const line = raw.trim();
    if (line === '') return;
    if (line.startsWith('new ')) {
      const id = reader.declare(line.slice(4), i + 1);
      const t = reader.finish().temps[id];
      ids.set(id, b.temp(t?.type ?? 'i64', t?.kind === 'tb' ? 'tb' : 'ebb'));
    } else if (line.startsWith('free ')) {
      // A mov resolves the name as an operand does.
      const { args } = reader.op(`mov_i64 rax, ${line.slice(5)}`, i + 1);
      b.free(real(args[1] as TempId));
    } else {
      const op = reader.op(line, i + 1);
      if (op.name === 'insn_start') b.insnStart(Number(op.imms[0]), Number(op.imms[1]));
      else b.emit(op.name, op.args.map(real), op.imms);
    }
  });
  verifyTb(b.finish(4));
}

function runCase(c: Case): string {
  const [mode, ...rest] = c.run.split(/\s+/);
  switch (mode) {
    case 'print':
      return parseTbs(c.input)
        .map((tb) => printTb(tb).join('\n') + '\n')
        .join('');
    case 'verify':
      return verdict(() => {
        for (const tb of parseTbs(c.input)) verifyTb(tb);
      });
    case 'build':
      return verdict(() => {
        build(c.input);
      });
    case 'opt': {
      const passes = PASSES.filter((p) => rest.includes(p.name) || rest.includes('all')) as readonly Pass[];
      return parseTbs(c.input)
        .map((tb) => {
          verifyTb(tb);
          return printTb(optimise(tb, passes, verifyTb)).join('\n') + '\n';
        })
        .join('');
    }
    case 'sequence':
      return runSequenceCase(c.input, rest.includes('precise'));
    default:
      throw new Error(`unknown run '${c.run}'`);
  }
}

function parseFile(text: string): Case[] {
  return text
    .split(/^==== /m)
    .slice(1)
    .map((part) => {
      const m = /^(.*)\nrun: (.*)\n([\s\S]*?)^----\n([\s\S]*)$/m.exec(part);
      if (m === null) throw new Error(`bad case: ${part.slice(0, 80)}`);
      return { name: m[1] ?? '', run: m[2] ?? '', input: m[3] ?? '', expected: m[4] ?? '' };
    });
}

const files = readdirSync(ROOT, { recursive: true, encoding: 'utf8' }).filter((f) => f.endsWith('.txt'));

describe.each(files)('%s', (file) => {
  const path = join(ROOT, file);
  const cases = parseFile(readFileSync(path, 'utf8'));
  const results = cases.map((c) => ({ c, output: '' }));
  test.each(results)('$c.name', (r) => {
    r.output = runCase(r.c);
    if (!BLESS) expect(r.output).toBe(r.c.expected);
    if (r.c.run === 'print') expect(r.output).toBe(r.c.input);
  });
  if (BLESS) {
    test('bless', () => {
      writeFileSync(
        path,
        results.map(({ c, output }) => `==== ${c.name}\nrun: ${c.run}\n${c.input}----\n${output}`).join(''),
      );
    });
  }
});
