/** What esbuild is told about single modules. Out: its plugins. */
import { dirname } from 'node:path';

/** Loaded from dist/src as they are, since few runs want them: dump and bench; the dump of a guest that hangs, with the table of all system calls. */
const seldom = {
  name: 'seldom',
  setup(build) {
    build.onResolve({ filter: /^\.\/tools\.js$/ }, () => ({ path: '../../src/cli/tools.js', external: true }));
    build.onResolve({ filter: /^\.\/hang-dump\.js$/ }, () => ({
      path: '../../src/engine/hang-dump.js',
      external: true,
    }));
  },
};

/** Each import of an external CommonJS module copies its properties: of Binaryen's thousands, that takes 50 ms. Here they go through a module of ours that has the one thing imported. */
const binaryen = {
  name: 'binaryen',
  setup(build) {
    build.onResolve({ filter: /^binaryen$/ }, ({ namespace }) =>
      namespace === 'binaryen' ? { path: 'binaryen', external: true } : { path: 'binaryen', namespace: 'binaryen' },
    );
    build.onLoad({ filter: /^binaryen$/, namespace: 'binaryen' }, () => ({
      contents: "export default require('binaryen');",
    }));
  },
};

/** yargs measures strings for --help alone, but string-width makes its tables of Unicode when it is loaded, which takes 25 ms of each start. Here it is loaded at the first call. */
const stringWidth = {
  name: 'string-width',
  setup(build) {
    build.onResolve({ filter: /^string-width$/ }, async ({ path, namespace, resolveDir, kind, pluginData }) => {
      if (namespace === 'string-width' || pluginData === stringWidth) return undefined;
      const real = await build.resolve(path, { resolveDir, kind, pluginData: stringWidth });
      return { path: real.path, namespace: 'string-width' };
    });
    build.onLoad({ filter: /.*/, namespace: 'string-width' }, ({ path }) => ({
      contents: `export default (...args) => require(${JSON.stringify(path)}).default(...args);`,
      resolveDir: dirname(path),
    }));
  },
};

export const PLUGINS = [seldom, binaryen, stringWidth];
