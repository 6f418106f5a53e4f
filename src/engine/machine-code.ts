/**
 * V8's machine code of a WebAssembly module, to be kept on disk. In: a module whose functions V8's optimising compiler has compiled. Out: bytes, and the module again, with that code.
 *
 * Node has no function for it: V8's own ones, behind --allow-natives-syntax, are of the versions named here (V8's src/runtime/runtime-test-wasm.cc, src/wasm/wasm-serialization.cc). V8 refuses what another
 * version has made, other flags, or a processor with other features, and looks at nothing else: bytes have to be whole. Functions of its baseline compiler are not among them: those are compiled again when they are called.
 */
import { Script } from 'node:vm';
import { isV8Between, nativesSyntax, usualFlags } from './v8-flags.js';

interface Natives {
  readonly serialize: (module: WebAssembly.Module) => ArrayBuffer;
  readonly deserialize: (code: ArrayBuffer, wasm: Uint8Array) => WebAssembly.Module | undefined;
}

/** V8 compiles a function when it is first called, and knows this syntax then only: so each is called once without arguments, which does nothing. */
const SOURCE = `({
  serialize(module) { return module && %SerializeWasmModule(module); },
  deserialize(code, wasm) { return code && %DeserializeWasmModule(code, wasm); },
})`;

/** V8 ends the process when it is asked for code and no function has any, so nothing is kept under options that change its compilers. */
const isUsual = ![...process.execArgv, ...(process.env['NODE_OPTIONS'] ?? '').split(' ')].some((o) =>
  /^-[\w-]*(liftoff|wasm)/.test(o),
);

let natives: Natives | false | undefined;

function loadNatives(): Natives | false {
  if (!isUsual || !isV8Between([11, 3], [13, 6])) return false;
  return nativesSyntax(() => {
    try {
      // Of the shape that its text has.
      const functions = new Script(SOURCE).runInThisContext() as Record<keyof Natives, (...args: unknown[]) => unknown>;
      functions.serialize();
      functions.deserialize();
      return functions as unknown as Natives;
    } catch (e) {
      if (e instanceof SyntaxError) return false;
      throw e;
    }
  });
}

const SECTION_NAME = 'lift64';
const CUSTOM_SECTION = 0;

/**
 * The bytes of a module with a section of random content behind them. V8 has one module a process for equal bytes: where a thread has made one of them already, and no function of it has been optimised, another
 * thread that wants it optimised gets that one, and V8 ends the process when it is asked for its code.
 */
export function distinctModule(wasm: Uint8Array): Uint8Array {
  const content = [
    SECTION_NAME.length,
    ...Buffer.from(SECTION_NAME),
    ...new Uint8Array(Float64Array.of(Math.random()).buffer),
  ];
  const out = new Uint8Array(wasm.length + 2 + content.length);
  out.set(wasm);
  out.set([CUSTOM_SECTION, content.length, ...content], wasm.length);
  return out;
}

/** The machine code of `module`, which has functions that V8's optimising compiler has compiled (see distinctModule()); undefined where V8 gives none. */
export function machineCode(module: WebAssembly.Module): Uint8Array | undefined {
  natives ??= loadNatives();
  if (natives === false) return undefined;
  const { serialize } = natives;
  return new Uint8Array(usualFlags(() => serialize(module)));
}

/** The module whose bytes are `wasm`, with the machine code of an earlier machineCode(); undefined where V8 refuses it. Another thread that makes a module of the same bytes gets the code too, as long as this one is alive. */
export function moduleWithCode(code: Uint8Array, wasm: Uint8Array): WebAssembly.Module | undefined {
  natives ??= loadNatives();
  if (natives === false || code.length === 0) return undefined;
  const { buffer, byteOffset, byteLength } = code;
  // V8 takes whole buffers, and none that is shared.
  const whole = buffer.slice(byteOffset, byteOffset + byteLength) as ArrayBuffer;
  const { deserialize } = natives;
  return usualFlags(() => deserialize(whole, wasm));
}
