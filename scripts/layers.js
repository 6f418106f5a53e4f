/**
 * The import rule of DESIGN.md section 2, checked: which layer may import which, no cycles, `node:*` only where the host is touched.
 * In: the TypeScript sources. Out: one line a violation and exit code 1.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Layer of a file by path prefix, longest first, and the layers that it may import besides its own. */
export const LAYERS = [
  { prefix: 'src/base/', name: 'base', sees: [], host: false },
  { prefix: 'src/guest/', name: 'guest', sees: ['base'], host: false },
  { prefix: 'src/ir/', name: 'ir', sees: ['base', 'guest'], host: false },
  { prefix: 'src/opt/', name: 'opt', sees: ['base', 'guest', 'ir'], host: false },
  { prefix: 'frontend/', name: 'frontend', sees: ['base', 'guest', 'ir'], host: false },
  { prefix: 'backend-wasm/', name: 'backend-wasm', sees: ['base', 'guest', 'ir'], host: false },
  { prefix: 'runtime/', name: 'runtime', sees: ['base', 'guest', 'ir'], host: true },
  {
    prefix: 'src/engine/',
    name: 'engine',
    sees: ['base', 'guest', 'ir', 'opt', 'frontend', 'backend-wasm', 'runtime'],
    host: true,
  },
  {
    prefix: 'src/api',
    name: 'api',
    sees: ['base', 'guest', 'ir', 'opt', 'frontend', 'backend-wasm', 'runtime', 'engine'],
    host: true,
  },
  {
    prefix: 'src/cli/',
    name: 'cli',
    sees: ['base', 'guest', 'ir', 'opt', 'frontend', 'backend-wasm', 'runtime', 'engine', 'api'],
    host: true,
  },
];

/** AssemblyScript has modules of its own. */
const NOT_TYPESCRIPT = ['backend-wasm/interpreter/', 'backend-wasm/helpers/'];

const layerOf = (path) => LAYERS.find((l) => path.startsWith(l.prefix));

/** Module specifiers that `text` imports or re-exports, each with whether only types are. */
export function importsOf(text) {
  const found = [];
  const pattern = /^\s*(?:import|export)\s+(type\s+)?(?:[^'";]*?\sfrom\s+)?['"]([^'"]+)['"]/gm;
  for (const m of text.matchAll(pattern)) found.push({ spec: m[2], typeOnly: m[1] !== undefined });
  for (const m of text.matchAll(/import\(\s*['"]([^'"]+)['"]\s*\)/g)) found.push({ spec: m[1], typeOnly: true });
  return found;
}

/** Violations among `files`: a map from path (from the root, with slashes) to source text. */
export function violations(files) {
  const out = [];
  const graph = new Map();
  for (const [path, text] of files) {
    const layer = layerOf(path);
    if (layer === undefined) {
      out.push(`${path}: in no layer`);
      continue;
    }
    const edges = [];
    for (const { spec, typeOnly } of importsOf(text)) {
      if (!spec.startsWith('.')) {
        if (spec.startsWith('node:') && !layer.host) out.push(`${path}: imports ${spec}, which ${layer.name} may not`);
        continue;
      }
      const target = normalize(join(dirname(path), spec)).replace(/\.js$/, '.ts');
      const other = layerOf(target);
      if (other === undefined) out.push(`${path}: imports ${target}, which is in no layer`);
      else if (other !== layer && !layer.sees.includes(other.name))
        out.push(`${path} (${layer.name}) imports ${target} (${other.name})`);
      if (!typeOnly) edges.push(target);
    }
    graph.set(path, edges);
  }
  return [...out, ...cycles(graph)];
}

function cycles(graph) {
  const out = [];
  const state = new Map();
  const stack = [];
  const visit = (path) => {
    if (state.get(path) === 'done') return;
    if (state.get(path) === 'open') {
      out.push(`cycle: ${[...stack.slice(stack.indexOf(path)), path].join(' -> ')}`);
      return;
    }
    state.set(path, 'open');
    stack.push(path);
    for (const next of graph.get(path) ?? []) visit(next);
    stack.pop();
    state.set(path, 'done');
  };
  for (const path of graph.keys()) visit(path);
  return out;
}

/** Reads the sources of the checkout at `root`. */
export function readSources(root) {
  const files = new Map();
  const walk = (dir) => {
    for (const name of readdirSync(dir)) {
      const path = join(dir, name);
      const rel = relative(root, path);
      if (statSync(path).isDirectory()) walk(path);
      else if (name.endsWith('.ts') && !name.endsWith('.d.ts') && !NOT_TYPESCRIPT.some((p) => rel.startsWith(p)))
        files.set(rel, readFileSync(path, 'utf8'));
    }
  };
  for (const top of ['src', 'frontend', 'backend-wasm', 'runtime']) walk(join(root, top));
  return files;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const files = readSources(join(dirname(fileURLToPath(import.meta.url)), '..'));
  const wrong = violations(files);
  for (const line of wrong) console.error(line);
  console.log(`layers: ${files.size} files, ${wrong.length} violations`);
  process.exitCode = wrong.length === 0 ? 0 : 1;
}
