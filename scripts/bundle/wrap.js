/** A bundle as the loaders expect it: a function of require, its URL and import(), since V8 loses the callback of import() in code from a cache. In: CommonJS text with `bundleUrl`. Out: the text of code.cjs. */
export function wrapBundle(text) {
  return `module.exports = function (require, bundleUrl, bundleImport) {\n${text.replace(/\bimport\(/g, 'bundleImport(')}};\n`;
}
