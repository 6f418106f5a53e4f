/**
 * Where the built files are. In: the place of this module, which is two levels below dist/, as a module of its own (dist/src/engine/) and in a bundle
 * (dist/bundles/NAME/). Out: URLs. scripts/bundle.js makes the bundles.
 */
const DIST = new URL('../../', import.meta.url);

export const BUILT = {
  /** The AssemblyScript core. */
  core: new URL('core.wasm', DIST),
  /** Machine code of the core that V8 has made at build time (machine-code.ts). */
  coreCode: new URL(`bundles/core-${process.version}-${process.arch}.cache`, DIST),
  guestWorker: new URL('bundles/guest-worker/main.cjs', DIST),
  compiledGuestWorker: new URL('bundles/compiled-guest-worker/main.cjs', DIST),
  compileWorker: new URL('bundles/compile-worker/main.cjs', DIST),
  /** Templates of the instructions that programs have (template-recorder.ts). */
  templates: new URL('bundles/templates', DIST),
  /** Names the build: a hash of what translates and runs code. */
  buildId: new URL('bundles/build-id', DIST),
  packageJson: new URL('../package.json', DIST),
} as const;
