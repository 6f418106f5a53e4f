/**
 * Binaryen's package as a bundle. In: its index.js, 14 MB of which are a WebAssembly module in a string. Out: binaryen.wasm, and code.cjs, whose function gives the factory of the library.
 * So a worker reads a third of the bytes, and V8 has a code cache for the rest. The text is the package's but for the ends that join it; another shape of the package is an error.
 */
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { wrapBundle } from './wrap.js';

/** The module: the argument of the function that turns a string's characters into bytes. */
const DATA = '(`\\0asm';
/** The end: the library is made and exported. */
const END = /var (\w+)=await (\w+)\(\),(\$\w+)=\1;export\{\3 as default\};\s*$/;

/** Writes the bundle to `out`, an existing directory. */
export function bundleBinaryen(out) {
  const source = fileURLToPath(import.meta.resolve('binaryen'));
  const text = readFileSync(source, 'utf8');
  const from = text.indexOf(DATA) + 1;
  const to = templateEnd(text, from);
  const end = END.exec(text);
  if (from === 0 || end === null || text.indexOf(DATA, to) !== -1) throw new Error('the package binaryen has changed');
  const decode = /(\w+)\($/.exec(text.slice(from - 20, from))?.[1];
  const decoder = new RegExp(`function ${decode}\\(\\w+\\)\\{[^}]*\\}`).exec(text)?.[0];
  if (decoder === undefined) throw new Error("the package binaryen has changed: its module's decoder was not found");
  // The package's own decoder and data, nothing else of it.
  const wasm = new Function(`${decoder};return ${decode}(${text.slice(from, to)});`)();
  if (!WebAssembly.validate(wasm)) throw new Error("the package binaryen has changed: its module's data was not found");
  writeFileSync(join(out, 'binaryen.wasm'), wasm);
  const glue = `${text.slice(0, from)}''${text.slice(to, end.index)}return ${end[2]};`;
  writeFileSync(join(out, 'code.cjs'), wrapBundle(glue.replaceAll('import.meta.url', 'bundleUrl')));
  copyFileSync(join(dirname(source), 'LICENSE'), join(out, 'LICENSE'));
}

/** Behind the template literal that begins at `at`, which has no substitutions. */
function templateEnd(text, at) {
  for (let i = at + 1; i < text.length; i++) {
    if (text[i] === '\\') i++;
    else if (text[i] === '`') return i + 1;
    else if (text[i] === '$' && text[i + 1] === '{') break;
  }
  throw new Error("the package binaryen has changed: its module's data does not end");
}
