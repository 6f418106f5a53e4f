/**
 * `import * as fs` copies the module's properties, as getters: a millisecond for all of them in a worker, and a call at each use. Node's own modules are read as they are; default imports of them, which that would break, there are none.
 */
const nodeModule = /__toESM\((require\("node:\w+"\)), 1\)/g;

/** A bundle as the loaders expect it: a function of require, its URL and import(), since V8 loses the callback of import() in code from a cache. In: CommonJS text with `bundleUrl`. Out: the text of code.cjs. */
export function wrapBundle(text) {
  return `module.exports = function (require, bundleUrl, bundleImport) {\n${text.replace(/\bimport\(/g, 'bundleImport(').replace(nodeModule, '$1')}};\n`;
}
