/**
 * Builds lift64: TypeScript to dist/, the package's types in one file, the generated AssemblyScript, the core to dist/core.wasm, the bundles to dist/bundles/. Steps whose inputs have not changed are skipped.
 * In: the sources. Out: dist/. One clear line when a step fails.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { bundle } from './bundle.js';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..');
const STAMPS = join(ROOT, 'dist', '.stamps.json');

/** An installed package has no sources and needs no build. */
if (!existsSync(join(ROOT, 'tsconfig.json')) || !existsSync(join(ROOT, 'node_modules', 'typescript-native')))
  process.exit(0);

function filesBelow(dir, accept) {
  const out = [];
  const walk = (d) => {
    for (const name of readdirSync(d)) {
      const path = join(d, name);
      if (statSync(path).isDirectory()) walk(path);
      else if (accept(path)) out.push(path);
    }
  };
  walk(join(ROOT, dir));
  return out;
}

function fingerprint(files) {
  const hash = createHash('sha256');
  for (const file of files.sort())
    hash.update(relative(ROOT, file)).update('\0').update(readFileSync(file)).update('\0');
  return hash.digest('hex');
}

function run(what, args) {
  const r = spawnSync(process.execPath, args, { cwd: ROOT, stdio: ['ignore', 'inherit', 'inherit'] });
  if (r.status === 0) return;
  console.error(`build: ${what} failed${r.error === undefined ? '' : `: ${r.error.message}`}`);
  process.exit(1);
}

const stamps = existsSync(STAMPS) ? JSON.parse(readFileSync(STAMPS, 'utf8')) : {};
const isAssembly = (path) =>
  /backend-wasm\/(interpreter|helpers)\//.test(relative(ROOT, path)) && !path.includes('/gen/');
const typescript = ['src', 'frontend', 'backend-wasm', 'runtime', 'tests'].flatMap((d) =>
  filesBelow(d, (p) => p.endsWith('.ts') && !p.includes('/interpreter/gen/')),
);
const typescriptPrint = fingerprint([
  ...typescript.filter((p) => !isAssembly(p)),
  join(ROOT, 'tsconfig.json'),
  join(ROOT, 'scripts', 'api-types.js'),
]);
if (stamps.typescript !== typescriptPrint) {
  rmSync(join(ROOT, 'dist', 'tests'), { recursive: true, force: true });
  run('tsc', [join('node_modules', 'typescript-native', 'bin', 'tsc'), '-p', '.']);
  (await import('./api-types.js')).writeApiTypes(ROOT);
}
const corePrint = fingerprint([
  ...typescript.filter(isAssembly),
  ...filesBelow('src/ir', (p) => p.endsWith('.ts')),
  ...filesBelow('src/guest', (p) => p.endsWith('.ts')),
  ...filesBelow('backend-wasm/bytecode', (p) => p.endsWith('.ts')),
  join(ROOT, 'scripts', 'gen-core.js'),
  join(ROOT, 'scripts', 'add-enter-slot.js'),
  ...filesBelow('scripts/gen', (p) => p.endsWith('.js')),
  fileURLToPath(import.meta.url),
]);
if (stamps.core !== corePrint || !existsSync(join(ROOT, 'dist', 'core.wasm'))) {
  const map = await import(pathToFileURL(join(ROOT, 'dist', 'src', 'guest', 'memory-map.js')).href);
  run('generating the interpreter', [join('scripts', 'gen-core.js')]);
  const options = [
    '--importMemory',
    '--sharedMemory',
    '--initialMemory',
    '65536',
    '--maximumMemory',
    '65536',
    '--noExportMemory',
    '--importTable',
    '--tableBase',
    '1',
  ];
  const features = ['--enable', 'threads,simd,bulk-memory,sign-extension,nontrapping-f2i'];
  const core = [
    'backend-wasm/interpreter/core.ts',
    '-o',
    'dist/core.wasm',
    '--memoryBase',
    String(map.AS_STATIC_BASE),
    '--runtime',
    'stub',
    '-O3',
    '--noAssert',
    // Function names, for profiles.
    '--debug',
    '--use',
    'abort=',
    // Helpers with v128 parameters, which only Wasm calls.
    '--disableWarning',
    '112',
  ];
  run('asc', [join('node_modules', 'assemblyscript', 'bin', 'asc.js'), ...core, ...options, ...features]);
  run('adding enterSlot to the core', [join('scripts', 'add-enter-slot.js'), join('dist', 'core.wasm')]);
}
const bundlePrint = fingerprint([
  ...filesBelow('dist', (p) => p.endsWith('.js') && !/\/(tests|bundles)\//.test(p)),
  join(ROOT, 'dist', 'core.wasm'),
  join(ROOT, 'scripts', 'bundle.js'),
  ...filesBelow('scripts/bundle', () => true),
]);
const bundled = `${process.version} ${process.arch} ${bundlePrint}`;
if (stamps.bundles !== bundled || !existsSync(join(ROOT, 'dist', 'bundles'))) {
  try {
    await bundle(ROOT);
  } catch (e) {
    console.error(`build: bundling failed: ${e.message}`);
    process.exit(1);
  }
}
writeFileSync(STAMPS, JSON.stringify({ typescript: typescriptPrint, core: corePrint, bundles: bundled }));
