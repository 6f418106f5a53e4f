/** Blocks that are left by a label. */
import { expect, test } from '@jest/globals';
import binaryen from 'binaryen';
import { labelledBlock } from '../../backend-wasm/compiler/labelled-block.js';

test('code behind a block whose own code never runs off its end is kept, and is run', () => {
  const m = new binaryen.Module();
  try {
    const body = [m.br_if('out', m.local.get(0, binaryen.i32)), m.return(m.i32.const(1))];
    const code = [labelledBlock(m, 'out', body), m.return(m.i32.const(2))];
    m.addFunction('f', binaryen.i32, binaryen.i32, [], m.block(null, code, binaryen.i32));
    m.addFunctionExport('f', 'f');
    expect(m.validate()).toBe(1);
    const instance = new WebAssembly.Instance(new WebAssembly.Module(new Uint8Array(m.emitBinary())));
    const f = instance.exports.f as (x: number) => number;
    expect([f(0), f(1)]).toEqual([1, 2]);
  } finally {
    m.dispose();
  }
});
