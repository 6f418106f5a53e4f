/**
 * Short programs of instructions that can't run alone: branches, calls, POPF, selectors, segment bases, far transfers, traps. What they do is seen in registers and memory.
 * In: nothing. Out: machine code, as forms whose text begins with 'sequence'.
 */
import type { IntegerForm } from './integer-forms.js';

/** `add r15, 1`, which a branch over it leaves out; `dec rdx`. */
const SKIPPED = [0x49, 0x83, 0xc7, 0x01];
const DEC_RDX = [0x48, 0xff, 0xca];

type Bytes = readonly (number | readonly number[])[];
type Add = (text: string, cases: number, ...code: Bytes) => void;

/** States of a program that is the only one of its instruction; of one among many. */
const MANY = 100;
const SOME = 8;

const SELECTORS = [0, 1, 3, 0x10, 0x20, 0x23, 0x28, 0x2b, 0x33, 0x34, 0x53, 0x78, 0x7b, 0xfff8] as const;
/** Far pointers to edx with the selector in ax. mov [rsi], edx; mov [rsi+4], ax. */
const POINTER_32 = [
  [0x89, 0x16],
  [0x66, 0x89, 0x46, 0x04],
];
/** mov [rsi], dx; mov [rsi+2], ax. */
const POINTER_16 = [
  [0x66, 0x89, 0x16],
  [0x66, 0x89, 0x46, 0x02],
];
/** Loads of segment registers, LAR, LSL, VERR, VERW. */
function selectorPrograms(add: Add): void {
  for (const selector of SELECTORS) {
    const [low, high] = [selector & 0xff, selector >> 8];
    // mov eax, 0x1234xxxx; to memory: mov [rsi], ax.
    const load = [0xb8, low, high, 0x34, 0x12];
    const store = [0x66, 0x89, 0x06];
    // Segment numbers; of GS the base is read too: rdgsbase rdx. FS: rdfsbase rdx.
    for (const [name, n, read] of [
      ['es', 0, []],
      ['ss', 2, []],
      ['ds', 3, []],
      ['fs', 4, [0xf3, 0x48, 0x0f, 0xae, 0xc2]],
      ['gs', 5, [0xf3, 0x48, 0x0f, 0xae, 0xca]],
    ] as const) {
      const back = [0x8c, 0xc1 | (n << 3)];
      add(`sequence mov ${name} ${selector}`, SOME, load, 0x8e, 0xc0 | (n << 3), back, read);
      add(`sequence mov ${name} [rsi] ${selector}`, SOME, load, store, 0x8e, 0x06 | (n << 3), back, read);
    }
    for (const [name, op] of [
      ['fs', 0xa0],
      ['gs', 0xa8],
    ] as const)
      add(`sequence push pop ${name} ${selector}`, SOME, 0x68, low, high, 0x34, 0x12, [0x0f, op + 1], [0x0f, op], 0x66, [0x0f, op]);
    for (const width of [0x66, 0x90, 0x48]) {
      add(`sequence lar ${selector} ${width}`, SOME, load, width, [0x0f, 0x02, 0xc8]);
      add(`sequence lar [rsi] ${selector} ${width}`, SOME, load, store, width, [0x0f, 0x02, 0x0e]);
      // That of 0x78 tells the number of the CPU.
      if (selector >> 3 === 15) continue;
      add(`sequence lsl ${selector} ${width}`, SOME + 1, load, width, [0x0f, 0x03, 0xc8]);
      add(`sequence lsl [rsi] ${selector} ${width}`, SOME + 1, load, store, width, [0x0f, 0x03, 0x0e]);
    }
    for (const [name, modrm] of [
      ['verr', 0xe0],
      ['verw', 0xe8],
    ] as const) {
      add(`sequence ${name} ${selector}`, SOME, load, [0x0f, 0x00, modrm]);
      add(`sequence ${name} [rsi] ${selector}`, SOME, load, store, [0x0f, 0x00, modrm & 0x3f | 6]);
    }
    for (const [name, op, n] of [
      ['lss', 0xb2, 2],
      ['lfs', 0xb4, 4],
      ['lgs', 0xb5, 5],
    ] as const) {
      const back = [0x8c, 0xc5 | (n << 3)];
      add(`sequence ${name} ${selector}`, SOME, load, POINTER_32.flat(), [0x0f, op, 0x0e], back);
      add(`sequence ${name} 66 ${selector}`, SOME, load, POINTER_16.flat(), [0x66, 0x0f, op, 0x0e], back);
    }
  }
}

/** Jumps, calls and returns with a code segment, IRET; 0x23 would be 32-bit code. */
function farPrograms(add: Add): void {
  for (const selector of SELECTORS) {
    if (selector === 0x23 || selector === 0x20) continue;
    const [low, high] = [selector & 0xff, selector >> 8];
    const word = [low, high];
    const dword = [low, high, 0, 0];
    // lea rax, [rip+n]: what stands behind SKIPPED.
    const lea = (n: number): number[] => [0x48, 0x8d, 0x05, n, 0, 0, 0];
    const pointer = [lea(14), [0x89, 0x06], [0x66, 0xc7, 0x46, 0x04], word].flat();
    const cases = selector === 0x33 ? MANY : SOME;
    add(`sequence jmp far ${selector}`, cases, pointer, 0xff, 0x2e, SKIPPED);
    add(`sequence call far ${selector}`, cases, pointer, 0xff, 0x1e, SKIPPED);
    // sub rsp, 8; lea; mov [rsp], eax; mov dword [rsp+4], selector; retf.
    const frame = (n: number): number[] =>
      [[0x48, 0x83, 0xec, 0x08], lea(n), [0x89, 0x04, 0x24], [0xc7, 0x44, 0x24, 0x04], dword].flat();
    add(`sequence retf ${selector}`, cases, frame(16), 0xcb, SKIPPED);
    add(`sequence retf imm ${selector}`, cases, frame(18), [0xca, 8, 0], SKIPPED);
    const wide = [[0x48, 0x83, 0xec, 0x10], lea(19), [0x48, 0x89, 0x04, 0x24], [0x48, 0xc7, 0x44, 0x24, 0x08], dword].flat();
    add(`sequence retfq ${selector}`, cases, wide, [0x48, 0xcb], SKIPPED);
    // push ss; push rsp; push rdx; and qword [rsp], the flags that may be set; push cs; lea; push rax; iretq.
    const flags = [0x52, 0x48, 0x81, 0x24, 0x24, 0xd5, 0x0c, 0x00, 0x00];
    const push = [0x68, ...dword];
    add(`sequence iretq cs ${selector}`, cases, [0x6a, 0x2b, 0x54], flags, push, lea(7), 0x50, [0x48, 0xcf], SKIPPED);
    add(`sequence iretq ss ${selector}`, cases, push, 0x54, flags, [0x6a, 0x33], lea(7), 0x50, [0x48, 0xcf], SKIPPED);
    // sub rsp, 20; lea; mov the five of them as dwords; iretd.
    const five = (cs: readonly number[], ss: readonly number[]): number[] =>
      [[0x48, 0x83, 0xec, 0x14], lea(36), [0x89, 0x04, 0x24], [0xc7, 0x44, 0x24, 0x04], cs, [0xc7, 0x44, 0x24, 0x08, 0x46, 2, 0, 0]]
        .flat()
        .concat([0x89, 0x64, 0x24, 0x0c], [0xc7, 0x44, 0x24, 0x10], ss);
    add(`sequence iretd cs ${selector}`, cases, five(dword, [0x2b, 0, 0, 0]), 0xcf, SKIPPED);
    add(`sequence iretd ss ${selector}`, cases, five([0x33, 0, 0, 0], dword), 0xcf, SKIPPED);
    // Of 16 bits there is no code to return to: selectors that fault. sub rsp, 10; mov word [rsp+2], selector.
    if (selector !== 0x33) add(`sequence iretw cs ${selector}`, 10, [0x48, 0x83, 0xec, 0x0a, 0x66, 0xc7, 0x44, 0x24, 0x02], word, [0x66, 0xcf]);
  }
}

/** Bases of FS and GS, written and read. */
function basePrograms(add: Add): void {
  for (const [name, n] of [
    ['fs', 0],
    ['gs', 1],
  ] as const)
    for (const [width, rex] of [
      [32, []],
      [64, [0x48]],
    ] as const)
      // wr rax; rd rcx; rd edx.
      add(
        `sequence base ${name} ${width}`,
        MANY,
        [0xf3, rex, 0x0f, 0xae, 0xd0 | (n << 3)].flat(),
        [0xf3, 0x48, 0x0f, 0xae, 0xc1 | (n << 3)],
        [0xf3, 0x0f, 0xae, 0xc2 | (n << 3)],
      );
}

/** INT with every number but that of Linux' system calls. */
function interruptPrograms(add: Add): void {
  for (let n = 0; n < 256; n++) if (n !== 0x80) add(`sequence int ${n}`, 1, 0xcd, n);
}

/** Every program, in a fixed order. */
export function integerPrograms(): IntegerForm[] {
  const list: IntegerForm[] = [];
  const add: Add = (text, cases, ...code) => {
    list.push({ at: 0, code: Uint8Array.from(code.flat()), text, cases });
  };
  for (let cc = 0; cc < 16; cc++) {
    add(`sequence jcc ${cc} short`, MANY, 0x70 + cc, 4, SKIPPED);
    add(`sequence jcc ${cc} near`, MANY, 0x0f, 0x80 + cc, [4, 0, 0, 0], SKIPPED);
    // cmp eax, ecx and test bl, bl before, in the same TB.
    add(`sequence cmp jcc ${cc}`, 4, 0x39, 0xc8, 0x70 + cc, 4, SKIPPED);
    add(`sequence test jcc ${cc}`, 3, 0x84, 0xdb, 0x70 + cc, 4, SKIPPED);
  }
  for (const [op, name] of [
    [0xe0, 'loopne'],
    [0xe1, 'loope'],
    [0xe2, 'loop'],
    [0xe3, 'jrcxz'],
  ] as const) {
    add(`sequence ${name}`, MANY, op, 4, SKIPPED);
    add(`sequence ${name} 67`, 8, 0x67, op, 4, SKIPPED);
  }
  // mov ecx, 5; dec rdx; loop back to dec.
  add('sequence loop back', 8, 0xb9, [5, 0, 0, 0], DEC_RDX, 0xe2, 0xfb);
  add('sequence loopne back', 6, 0xb9, [5, 0, 0, 0], 0x80, 0xc2, 0x33, 0xe0, 0xfb);
  add('sequence call near', MANY, 0xe8, [4, 0, 0, 0], SKIPPED);
  add('sequence call ret', MANY, 0xe8, [2, 0, 0, 0], 0xeb, 5, SKIPPED, 0xc3);
  add('sequence ret imm', MANY, 0xe8, [2, 0, 0, 0], 0xeb, 7, SKIPPED, 0xc2, [8, 0]);
  add('sequence jmp short', MANY, 0xeb, 4, SKIPPED);
  add('sequence jmp near', MANY, 0xe9, [4, 0, 0, 0], SKIPPED);
  // lea rax, [rip+6]; jmp rax.
  add('sequence jmp rax', MANY, 0x48, 0x8d, 0x05, [6, 0, 0, 0], 0xff, 0xe0, SKIPPED);
  add('sequence call rax', MANY, 0x48, 0x8d, 0x05, [6, 0, 0, 0], 0xff, 0xd0, SKIPPED);
  // lea rax, [rip+10]; mov [rsi], rax; jmp, call [rsi].
  add('sequence jmp [rsi]', MANY, 0x48, 0x8d, 0x05, [9, 0, 0, 0], 0x48, 0x89, 0x06, 0xff, 0x26, SKIPPED);
  add('sequence call [rsi]', MANY, 0x48, 0x8d, 0x05, [9, 0, 0, 0], 0x48, 0x89, 0x06, 0xff, 0x16, SKIPPED);
  // and dword [rsp], the flags that may be set; popf; pushf.
  for (const [n, prefix] of [[], [0x66]].entries()) {
    add(`sequence popf ${n}`, MANY, 0x81, 0x24, 0x24, [0xd5, 0x0c, 0x20, 0x00], prefix, 0x9d, prefix, 0x9c);
    add(`sequence popf jcc ${n}`, 4, 0x81, 0x24, 0x24, [0xd5, 0x0c, 0x00, 0x00], prefix, 0x9d, 0x7f, 4, SKIPPED);
  }
  // REP over pages, up to one that can't be written: mov ecx, imm; std or cld; rep.
  for (const [name, op] of [
    ['movsb', [0xa4]],
    ['movsq', [0x48, 0xa5]],
    ['stosd', [0xab]],
    ['stosw', [0x66, 0xab]],
    ['lodsq', [0x48, 0xad]],
  ] as const)
    for (const direction of [0xfc, 0xfd])
      for (const count of [0x210, 0x1100]) {
        const prefixes = op.length === 1 ? [0xf3] : op[0] === 0x66 ? [0x66, 0xf3] : [0xf3, 0x48];
        add(`sequence rep ${name} ${direction} ${count}`, 2, 0xb9, count & 0xff, count >> 8, 0, 0, direction, prefixes, op.slice(-1));
      }
  add('sequence repne scasb', 3, 0xb9, [0, 0x20, 0, 0], 0x31, 0xc0, [0xf2, 0xae]);
  add('sequence repe cmpsb', 3, 0xb9, [0, 0x20, 0, 0], [0xf3, 0xa6]);
  add('sequence int3', 4, 0xcc);
  interruptPrograms(add);
  selectorPrograms(add);
  farPrograms(add);
  basePrograms(add);
  // movabs rcx, 0xffff8...; jmp, call, push and ret.
  const kernel = [0x48, 0xb9, 0, 0x10, 0, 0, 0, 0x80, 0xff, 0xff];
  add('sequence jmp kernel', 4, kernel, 0xff, 0xe1);
  add('sequence call kernel', 20, kernel, 0xff, 0xd1);
  add('sequence ret kernel', 8, kernel, 0x51, 0xc3);
  add('sequence ret imm kernel', 8, kernel, 0x51, 0xc2, 8, 0);
  add('sequence jmp not canonical', 1, 0x48, 0xb8, [0, 0, 0, 0, 0, 0x80, 0, 0], 0xff, 0xe0);
  return list;
}

