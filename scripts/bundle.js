/**
 * Bundles the entry points, so that a start reads a few files and not hundreds. In: the modules in dist/. Out: dist/bundles/NAME/.
 *
 * What every start loads (the CLI, the guest worker) is CommonJS with a code cache of V8, made by a run of an example with this Node: main.cjs loads code.cjs with it.
 * What needs Binaryen, a module with top-level await, is a module: main.js. Nothing is minified: stack traces name functions and, by esbuild's comments, modules.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const CACHED = { cli: 'src/cli/main.js', 'guest-worker': 'src/engine/guest-worker.js' };
const MODULES = {
  'compiled-guest-worker': 'src/engine/compiled-guest-worker.js',
  'compile-worker': 'src/engine/compile-worker.js',
};
/** Stay packages of their own: large, and loaded only when needed. */
const EXTERNAL = ['binaryen', 'wabt', 'iced-x86'];
/** A static program, so that the recording needs nothing of the host. */
const RECORDED = 'hello';

/** dump and bench are loaded from dist/src as they are. */
const tools = {
  name: 'tools',
  setup(build) {
    build.onResolve({ filter: /^\.\/tools\.js$/ }, () => ({ path: '../../src/cli/tools.js', external: true }));
  },
};

/** Throws when esbuild fails or the recording run does. */
export async function bundle(root) {
  const { build } = await import('esbuild');
  const dist = join(root, 'dist');
  const out = join(dist, 'bundles');
  rmSync(out, { recursive: true, force: true });
  const common = {
    absWorkingDir: root,
    bundle: true,
    platform: 'node',
    target: 'node20',
    external: EXTERNAL,
    plugins: [tools],
    legalComments: 'none',
    logLevel: 'warning',
  };
  for (const [name, entry] of Object.entries(CACHED)) {
    const { outputFiles } = await build({
      ...common,
      entryPoints: [join(dist, entry)],
      format: 'cjs',
      define: { 'import.meta.url': 'bundleUrl' },
      write: false,
    });
    mkdirSync(join(out, name), { recursive: true });
    // V8 loses the callback of import() in code from a cache: main.cjs gives its own.
    const text = outputFiles[0].text.replace(/\bimport\(/g, 'bundleImport(');
    const module = `module.exports = function (require, bundleUrl, bundleImport) {\n${text}};\n`;
    writeFileSync(join(out, name, 'code.cjs'), module);
  }
  for (const [name, entry] of Object.entries(MODULES)) {
    await build({
      ...common,
      entryPoints: [join(dist, entry)],
      outfile: join(out, name, 'main.js'),
      format: 'esm',
    });
  }
  writeFileSync(join(out, 'build-id'), buildId(dist, out));
  install(root, out, 'record.cjs');
  const example = join(root, 'examples', 'bin', RECORDED);
  // The second run finds what the first has kept: both ways of a start are in the cache of the last.
  const home = mkdtempSync(join(tmpdir(), 'lift64-'));
  const env = { ...process.env, XDG_CACHE_HOME: home, LIFT64_NO_CACHE: '' };
  for (let n = 0; n < 2; n++) {
    const run = spawnSync(process.execPath, [join(root, 'bin', 'lift64.js'), example], { encoding: 'utf8', env });
    if (run.status !== 0) throw new Error(`the run of '${RECORDED}' ended with status ${run.status}: ${run.stderr}`);
  }
  rmSync(home, { recursive: true });
  install(root, out, 'main.cjs');
  for (const name of Object.keys(CACHED)) {
    const files = readdirSync(join(out, name));
    for (const file of files.filter((f) => f.endsWith('.new'))) rmSync(join(out, name, file));
    if (!files.some((file) => file.endsWith('.cache')))
      throw new Error(`the run of '${RECORDED}' left no code cache of ${name}`);
  }
}

/** Code kept on disk is good for the very build that made it. */
function buildId(dist, out) {
  const hash = createHash('sha256');
  const bundles = [
    ...Object.keys(CACHED).map((n) => `${n}/code.cjs`),
    ...Object.keys(MODULES).map((n) => `${n}/main.js`),
  ];
  for (const file of [join(dist, 'core.wasm'), ...bundles.map((b) => join(out, b))]) hash.update(readFileSync(file));
  return hash.digest('hex');
}

function install(root, out, loader) {
  for (const name of Object.keys(CACHED))
    copyFileSync(join(root, 'scripts', 'bundle', loader), join(out, name, 'main.cjs'));
}
