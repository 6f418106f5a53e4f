/**
 * Bundles the entry points, so that a start reads a few files and not hundreds. In: the modules in dist/. Out: dist/bundles/NAME/.
 *
 * All are CommonJS with a code cache of V8, made by runs of examples with this Node: main.cjs loads code.cjs with it. Binaryen, which awaits its module, is a bundle of its own for those that need it.
 * Nothing of ours is minified: stack traces name functions and, by esbuild's comments, modules.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { bundleBinaryen } from './bundle/binaryen.js';
import { PLUGINS } from './bundle/plugins.js';
import { wrapBundle } from './bundle/wrap.js';

/** Entry points, and what starts each; without it, the bundle's function gives the module's exports to the loader. */
const BUNDLES = {
  cli: { entry: 'src/cli/main.js', main: 'main.cjs' },
  'guest-worker': { entry: 'src/engine/guest-worker.js', main: 'main.cjs' },
  'compiled-guest-worker': { entry: 'src/engine/compiled-guest-worker.js', main: 'main-with-binaryen.cjs' },
  'machine-code': { entry: 'src/engine/machine-code.js' },
  'compile-worker': { entry: 'src/engine/compile-worker.js', main: 'main-with-binaryen.cjs' },
};
const ALL = [...Object.keys(BUNDLES), 'binaryen'];
/** Packages that stay outside: large, and loaded only when needed. */
const EXTERNAL = ['binaryen', 'wabt', 'iced-x86'];
/**
 * Runs whose code is in the caches: static programs, so that they need nothing of the host. The second finds what the first has kept: both ways of a start. One has threads. The last, which writes the caches,
 * compiles regions.
 */
const COMPILES = ['--no-cache', join('bench', 'sort'), '10'];
const RECORDED = [['hello'], ['hello'], ['--tier', 'compiled', 'hello'], ['threads-many'], COMPILES];
/** The same for machine code of modules, which is Binaryen's. */
const RECORDED_MODULES = [COMPILES];

/** Programs whose instructions have templates: C of several compilers and libraries, with and without AVX2. */
const TEMPLATE_PROGRAMS = [
  'clone-static',
  'workqueue-static',
  'bench/memory-glibc',
  'bench/nbody',
  'bench/nbody-v3',
  'bench/compress-O0',
  'bench/compress-v3',
];

/** Throws when esbuild fails or a recorded run does. */
export async function bundle(root) {
  const { build } = await import('esbuild');
  const dist = join(root, 'dist');
  const out = join(dist, 'bundles');
  rmSync(out, { recursive: true, force: true });
  mkdirSync(join(out, 'binaryen'), { recursive: true });
  bundleBinaryen(join(out, 'binaryen'));
  for (const [name, { entry, main }] of Object.entries(BUNDLES)) {
    const { outputFiles } = await build({
      absWorkingDir: root,
      entryPoints: [join(dist, entry)],
      bundle: true,
      platform: 'node',
      target: 'node20',
      ...(main === undefined ? { format: 'iife', globalName: 'exported' } : { format: 'cjs' }),
      external: EXTERNAL,
      plugins: PLUGINS,
      define: { 'import.meta.url': 'bundleUrl' },
      legalComments: 'none',
      logLevel: 'warning',
      write: false,
    });
    mkdirSync(join(out, name));
    const [{ text }] = outputFiles;
    writeFileSync(join(out, name, 'code.cjs'), wrapBundle(main === undefined ? `${text}return exported;\n` : text));
    if (main !== undefined) copyFileSync(join(root, 'scripts', 'bundle', main), join(out, name, 'main.cjs'));
  }
  await makeTemplates(root, out);
  const { writeCoreCode } = await import(pathToFileURL(join(dist, 'src', 'engine', 'core-module.js')).href);
  writeCoreCode();
  writeFileSync(join(out, 'build-id'), buildId(dist, out));
  record(root, out);
}

/** Templates of the shapes that these programs have, and of instructions of others. */
async function makeTemplates(root, out) {
  const recorder = pathToFileURL(join(root, 'dist', 'src', 'engine', 'template-recorder.js'));
  const { recordTemplates } = await import(recorder.href);
  const files = TEMPLATE_PROGRAMS.map((name) => readFileSync(join(root, 'examples', 'bin', name)));
  const insns = readFileSync(join(root, 'scripts', 'bundle', 'template-insns.txt'), 'latin1')
    .split('\n')
    .filter((line) => /^[0-9a-f]/.test(line))
    .map((line) => Buffer.from(line, 'hex'));
  writeFileSync(join(out, 'templates'), new Uint8Array(recordTemplates(files, insns).buffer));
}

/** Code kept on disk is good for the very build that made it. */
function buildId(dist, out) {
  const hash = createHash('sha256');
  const bundles = ALL.map((name) => join(out, name, 'code.cjs'));
  for (const file of [join(dist, 'core.wasm'), ...bundles]) hash.update(readFileSync(file));
  return hash.digest('hex');
}

/** Makes the code caches. */
function record(root, out) {
  const [loader, plainLoader] = [join(out, 'load.cjs'), join(out, 'plain-load.cjs')];
  copyFileSync(join(root, 'scripts', 'bundle', 'load.cjs'), plainLoader);
  copyFileSync(join(root, 'scripts', 'bundle', 'record.cjs'), loader);
  const home = mkdtempSync(join(tmpdir(), 'lift64-'));
  const env = { ...process.env, XDG_CACHE_HOME: home, LIFT64_NO_CACHE: '', LIFT64_RECORD: 'scripts' };
  const runs = [
    ...RECORDED.map((args) => ({ args, env })),
    ...RECORDED_MODULES.map((args) => ({ args, env: { ...env, LIFT64_RECORD: 'modules' } })),
  ];
  for (const { args, env } of runs) {
    const run = spawnSync(process.execPath, [join(root, 'bin', 'lift64.js'), ...args], {
      cwd: join(root, 'examples', 'bin'),
      encoding: 'utf8',
      env,
    });
    if (run.status !== 0) throw new Error(`'lift64 ${args.join(' ')}' ended with status ${run.status}: ${run.stderr}`);
  }
  rmSync(home, { recursive: true });
  renameSync(plainLoader, loader);
  for (const name of ALL)
    if (name !== 'machine-code' && !existsSync(join(out, name, `code-${process.version}-${process.arch}.cache`)))
      throw new Error(`the recorded runs left no code cache of ${name}`);
}
