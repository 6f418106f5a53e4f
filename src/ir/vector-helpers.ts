/** The helpers of vector instructions that are too long for IR: rows of the helper table (helpers.ts). In: nothing. Out: rows. */
import type { HelperDef } from './helpers.js';

/** Pure, of two v128. */
const binary = (name: string, file: string, prose: string): HelperDef => ({
  name,
  file,
  params: ['v128', 'v128'],
  ret: 'v128',
  pure: true,
  prose,
});

export const vectorHelpers: readonly HelperDef[] = [
  {
    name: 'pcmpistr',
    file: 'string-compare',
    params: ['v128', 'v128', 'i32'],
    ret: 'i64',
    pure: true,
    prose: 'PCMPISTRI, PCMPISTRM with immediate arg2: IntRes2 in bits 15:0, index in 31:16, EFLAGS in 63:32',
  },
  {
    name: 'pcmpestr',
    file: 'string-compare',
    params: ['v128', 'v128', 'i64', 'i64', 'i32'],
    ret: 'i64',
    pure: true,
    prose: 'PCMPESTRI, PCMPESTRM of lengths arg2 and arg3: as pcmpistr',
  },
  binary('multiply_add_bytes', 'lanes', 'PMADDUBSW: bytes of arg0 are unsigned, those of arg1 signed'),
  binary('multiply_round', 'lanes', 'PMULHRSW'),
  {
    name: 'truncate_ps',
    file: 'lanes',
    params: ['v128'],
    ret: 'v128',
    pure: true,
    prose: 'f32 lanes truncated to i32, the integer indefinite where they do not fit',
  },
  {
    name: 'truncate_pd',
    file: 'lanes',
    params: ['v128'],
    ret: 'v128',
    pure: true,
    prose: 'f64 lanes truncated to i32 in the low half, the upper half zero',
  },
  binary('aesenc', 'aes', 'AESENC of the state by the round key'),
  binary('aesenclast', 'aes', 'AESENCLAST, likewise'),
  binary('aesdec', 'aes', 'AESDEC, likewise'),
  binary('aesdeclast', 'aes', 'AESDECLAST, likewise'),
  { name: 'aesimc', file: 'aes', params: ['v128'], ret: 'v128', pure: true, prose: 'AESIMC' },
  {
    name: 'aeskeygenassist',
    file: 'aes',
    params: ['v128', 'i32'],
    ret: 'v128',
    pure: true,
    prose: 'AESKEYGENASSIST with round constant arg1',
  },
  binary('pclmul', 'clmul', 'the carry-less product of the low halves'),
  {
    name: 'sha1rnds4',
    file: 'sha',
    params: ['v128', 'v128', 'i32'],
    ret: 'v128',
    pure: true,
    prose: 'SHA1RNDS4 with immediate arg2',
  },
  {
    name: 'sha256rnds2',
    file: 'sha',
    params: ['v128', 'v128', 'v128'],
    ret: 'v128',
    pure: true,
    prose: 'SHA256RNDS2; arg2 is xmm0',
  },
  binary('sha256msg1', 'sha', 'SHA256MSG1'),
  binary('sha256msg2', 'sha', 'SHA256MSG2'),
];
