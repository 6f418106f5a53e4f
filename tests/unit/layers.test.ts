/** The import rule holds for the sources, and the check sees what breaks it. */
import { expect, test } from '@jest/globals';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

interface Layers {
  readSources(root: string): Map<string, string>;
  violations(files: Map<string, string>): string[];
}
const root = process.cwd();
const layers = (await import(pathToFileURL(join(root, 'scripts', 'layers.js')).href)) as Layers;

test('every import of the sources follows the rule', () => {
  expect(layers.violations(layers.readSources(root))).toEqual([]);
});

test.each([
  [
    'a lower layer importing a higher one',
    { 'src/ir/a.ts': "import { x } from '../engine/b.js';", 'src/engine/b.ts': '' },
    'src/ir/a.ts (ir) imports src/engine/b.ts (engine)',
  ],
  [
    'runtime importing frontend',
    { 'runtime/a.ts': "import { x } from '../frontend/b.js';", 'frontend/b.ts': '' },
    'runtime/a.ts (runtime) imports frontend/b.ts (frontend)',
  ],
  [
    'a type import across layers',
    { 'runtime/a.ts': "import type { x } from '../frontend/b.js';", 'frontend/b.ts': '' },
    'runtime/a.ts (runtime) imports frontend/b.ts (frontend)',
  ],
  [
    'the host in the IR',
    { 'src/ir/a.ts': "import { readFileSync } from 'node:fs';" },
    'src/ir/a.ts: imports node:fs, which ir may not',
  ],
  [
    'a cycle',
    { 'src/ir/a.ts': "import { b } from './b.js';", 'src/ir/b.ts': "import { a } from './a.js';" },
    'cycle: src/ir/a.ts -> src/ir/b.ts -> src/ir/a.ts',
  ],
])('reports %s', (_name, files, line) => {
  expect(layers.violations(new Map(Object.entries(files)))).toContain(line);
});
