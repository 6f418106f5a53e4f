/**
 * The interpreter's cases: one list of AssemblyScript lines an opcode. In: an Opcode (backend-wasm/bytecode/opcodes.ts, which describes the format). Out: statements on the variables
 * of the loop in interpret.js: cpu, tb, pc, fuel, insns. A case ends by `continue` (next op), by `break` (`way` is the address of where to) or by `return`.
 */

import { goTo, leaveOnTheWay } from './jumps.js';

/** Address of the operand in field `n` (the opcode is field 0). */
const at = (n) => `cpu + <usize>load<u16>(pc, ${2 * n})`;
const loadOf = (type, address) => (type === 'v128' ? `v128.load(${address})` : `load<${type}>(${address})`);
const storeOf = (type, address, value) =>
  type === 'v128' ? `v128.store(${address}, ${value})` : `store<${type}>(${address}, ${value})`;
const LETTERS = ['a', 'b', 'c', 'd'];
const FAULT = 'return fault(cpu, pc, fuel, insns);';
const NEXT = 'continue;';

/** Conditions on a and b of type t; `u` is its unsigned counterpart. */
const CONDITION = {
  eq: () => 'a == b',
  ne: () => 'a != b',
  lt: () => 'a < b',
  ge: () => 'a >= b',
  le: () => 'a <= b',
  gt: () => 'a > b',
  ltu: (u) => `<${u}>a < <${u}>b`,
  geu: (u) => `<${u}>a >= <${u}>b`,
  leu: (u) => `<${u}>a <= <${u}>b`,
  gtu: (u) => `<${u}>a > <${u}>b`,
  tsteq: () => '(a & b) == 0',
  tstne: () => '(a & b) != 0',
};

/** Lane types, unsigned and signed, and bytes. */
const LANE = {
  i8x16: ['u8', 'i8', 1],
  i16x8: ['u16', 'i16', 2],
  i32x4: ['i32', 'i32', 4],
  i64x2: ['i64', 'i64', 8],
  f32x4: ['f32', 'f32', 4],
  f64x2: ['f64', 'f64', 8],
};

/** @param layout fieldBytes, opcodeSize and accessSize of opcodes.ts */
export function casesOf(layout) {
  const caseOf = (o) => {
    if (o.joined !== undefined) return joined(o.joined, caseOf);
    const advance = `pc += ${layout.opcodeSize(o)};`;
    const words = layout.fieldBytes(o);
    if (o.helper !== undefined) return helper(o, advance);
    if (o.fusion !== undefined) return fused(o, words, layout, advance);
    if (o.movi === true) return movi(o, words, advance);
    const special = SPECIAL[o.op.name];
    if (special !== undefined) return special(o, words, advance);
    const extract = /^v_extract([us]?)_(\w+)$/.exec(o.op.name);
    if (extract !== null) return extractLane(o, extract[1], LANE[extract[2]], advance);
    const replace = /^v_replace_(\w+)$/.exec(o.op.name);
    if (replace !== null) return replaceLane(o, LANE[replace[1]], advance);
    return expression(o, words, layout, advance);
  };
  return caseOf;
}

/** Ops that may go elsewhere than to the next one. */
const isJump = ({ op }) => op.effects.some((e) => e === 'branch' || e === 'end' || e === 'exit');

/** One case after another: all but the last go on to the next op. */
function joined(ops, caseOf) {
  return ops.flatMap((o, i) => {
    if (i === ops.length - 1) return ['{', ...caseOf(o), '}'];
    if (isJump(o)) throw new Error(`${o.key} is a jump amid joined ops`);
    return ['{', ...caseOf(o).filter((line) => line !== NEXT), '}'];
  });
}

function guard(name) {
  return (o, words, advance) => [
    `const h = ${name}(cpu, load<u64>(${at(2)}), load<u16>(pc, 6));`,
    `if (h == 0) ${FAULT}`,
    `store<i32>(${at(1)}, <i32>h);`,
    advance,
    NEXT,
  ];
}

/** cc_op from field `n`, when it holds one. */
const ccOp = (n) => [`const cc = <i32>load<i16>(pc, ${2 * n});`, 'if (cc >= 0) store<i32>(cpu + CPU_CC_OP, cc);'];

const SPECIAL = {
  goto_tb: (o, words) => [...ccOp(1), `way = pc + ${words};`, 'break;'],
  lookup_and_goto_ptr: () => [
    ...ccOp(1),
    'const target = load<u64>(cpu + CPU_RIP);',
    'if (load<u16>(pc, 4) != 0 && load<u32>(tb + TB_TARGETS) != <u32>target) noteTarget(tb, <u32>target);',
    leaveOnTheWay(),
    'const next = cached(cpu, target);',
    goTo(0),
    NEXT,
  ],
  exit: () => [
    'store<i64>(cpu + CPU_EXIT_ARG0, load<i64>(pc + 8));',
    'return leave(cpu, load<u64>(pc + 16), <i32>load<u16>(pc, 2), fuel, insns);',
  ],
  br: (o, words) => [`pc += ${words};`, 'pc += <usize>load<i32>(pc);', NEXT],
  guard_r: guard('guardReadOfTb'),
  guard_w: guard('guardWriteOfTb'),
  guard_rw: guard('guardRWOfTb'),
  align_check: (o, words, advance) => [
    `if ((load<u64>(${at(1)}) & (load<u16>(pc, 4) - 1)) != 0) {`,
    '  exception(cpu, EXC_GP);',
    `  ${FAULT}`,
    '}',
    advance,
    NEXT,
  ],
  // Not by the op's expression: asc -O3 turns a load<i32> that is zero-extended into i64.load32_s.
  extu_i32_i64: (o, words, advance) => [`store<u64>(${at(1)}, <u64>load<u32>(${at(2)}));`, advance, NEXT],
  v_shuffle: (o, words, advance) => [
    `const lanes = v128.load(pc + ${words});`,
    `const lo = v128.swizzle(v128.load(${at(2)}), lanes);`,
    `const hi = v128.swizzle(v128.load(${at(3)}), v128.sub<i8>(lanes, v128.splat<i8>(16)));`,
    `v128.store(${at(1)}, v128.or(lo, hi));`,
    advance,
    NEXT,
  ],
};

function movi(o, words, advance) {
  const type = o.op.outs[0];
  if (type === 'v128') return [`v128.store(${at(1)}, v128.load(pc + ${words}));`, advance, NEXT];
  const value = o.last === 'k16' ? 'load<i16>(pc, 4)' : `load<i64>(pc + ${words})`;
  return [`store<${type}>(${at(1)}, <${type}>${value});`, advance, NEXT];
}

function extractLane(o, sign, [u, s, size], advance) {
  const out = o.op.outs[0];
  const lane = `${at(2)} + <usize>load<u16>(pc, 6) * ${size}`;
  return [`store<${out}>(${at(1)}, <${out}>load<${sign === 's' ? s : u}>(${lane}));`, advance, NEXT];
}

function replaceLane(o, [, lane, size], advance) {
  const type = o.op.ins[1];
  return [
    `const d = ${at(1)};`,
    `const b = load<${type}>(${at(3)});`,
    `v128.store(d, v128.load(${at(2)}));`,
    `store<${lane}>(d + <usize>load<u16>(pc, 8) * ${size}, <${lane}>b);`,
    advance,
    NEXT,
  ];
}

/** The last input: from its slot, its field or the word behind the fields. */
function lastInput(o, type, field, words) {
  if (o.last === 'k16') return `<${type}>load<i16>(pc, ${2 * field})`;
  if (o.last === 'k64') return `<${type}>load<i64>(pc + ${words})`;
  return loadOf(type, at(field));
}

/** By the expression of the op's row, or its condition. */
function expression(o, words, layout, advance) {
  const { op } = o;
  const outs = op.outs.length;
  const lines = [];
  let field = 1 + outs;
  const memory = op.name.startsWith('gld') || op.name.startsWith('gst');
  op.ins.forEach((type, i) => {
    const last = i === op.ins.length - 1;
    const value =
      memory && i === 0
        ? `<usize>load<u32>(${at(field)})`
        : last
          ? lastInput(o, type, field, words)
          : loadOf(type, at(field));
    lines.push(`const ${LETTERS[i]} = ${value};`);
    field++;
  });
  const environment = /^(ld|st)\d*[us]?_/.test(op.name);
  const immediate = memory || environment || !['i32', 'i64'].includes(op.outs[0]) ? 'usize' : op.outs[0];
  let n = 0;
  for (const kind of op.imms) {
    if (kind === 'num') lines.push(`const i${n++} = <${immediate}>load<u16>(pc, ${2 * field++});`);
  }
  const u = op.ins[0] === 'i32' ? 'u32' : 'u64';
  const condition = o.cond === undefined ? '' : CONDITION[o.cond](u);
  if (op.name.startsWith('brcond')) {
    const size = layout.opcodeSize(o) - 8;
    return [...lines, `pc += ${size};`, `pc += (${condition}) ? <usize>load<i32>(pc) : 8;`, NEXT];
  }
  let value = op.as;
  if (op.name.startsWith('setcond')) value = `<${op.outs[0]}>(${condition})`;
  if (op.name.startsWith('movcond')) value = `(${condition}) ? c : d`;
  if (value === undefined) throw new Error(`no AssemblyScript for ${op.name}`);
  return [...lines, outs === 0 ? `${value};` : `${storeOf(op.outs[0], at(1), value)};`, advance, NEXT];
}

function fused(o, words, layout, advance) {
  const { op } = o;
  const displacement = 'load<u64>(' + at(2) + ') + <i64>load<i16>(pc, 6)';
  switch (o.fusion) {
    case 'cmp':
      return [
        `const a = load<i64>(${at(1)});`,
        `const b = ${lastInput(o, 'i64', 2, words)};`,
        'store<i64>(cpu + CPU_CC_DST, a - b);',
        'store<i64>(cpu + CPU_CC_SRC, b);',
        advance,
        NEXT,
      ];
    case 'jump':
      return [
        `const a = load<i64>(${at(1)});`,
        `const b = ${lastInput(o, 'i64', 2, words)};`,
        ...ccOp(3),
        `way = pc + ((${CONDITION[o.cond]('u64')}) ? ${layout.opcodeSize(o) - layout.WAY_SIZE} : ${layout.opcodeSize(o) - 2 * layout.WAY_SIZE});`,
        'break;',
      ];
    case 'push':
      return [
        `const address = ${displacement};`,
        'const h = guardWriteOfTb(cpu, address, 8);',
        `if (h == 0) ${FAULT}`,
        `store<i64>(h, load<i64>(${at(1)}));`,
        `store<u64>(${at(4)}, address);`,
        advance,
        NEXT,
      ];
    case 'pop':
      return [
        `const h = guardReadOfTb(cpu, load<u64>(${at(2)}), 8);`,
        `if (h == 0) ${FAULT}`,
        `store<i64>(${at(1)}, load<i64>(h));`,
        `store<u64>(${at(2)}, ${displacement});`,
        advance,
        NEXT,
      ];
    default:
  }
  const address = o.fusion === 'guard' ? `load<u64>(${at(2)})` : displacement;
  const size = layout.accessSize(op.name);
  if (op.name.startsWith('gld'))
    return [
      `const h = guardReadOfTb(cpu, ${address}, ${size});`,
      `if (h == 0) ${FAULT}`,
      `${storeOf(op.outs[0], at(1), op.as.replace('(a + i0)', '(h)'))};`,
      advance,
      NEXT,
    ];
  return [
    `const h = guardWriteOfTb(cpu, ${address}, ${size});`,
    `if (h == 0) ${FAULT}`,
    `const b = ${loadOf(op.ins[1], at(1))};`,
    `${op.as.replace('a + i0', 'h')};`,
    advance,
    NEXT,
  ];
}

function helper(o, advance) {
  const h = o.helper;
  const outs = h.ret === undefined ? 0 : 1;
  const args = h.params.map((type, i) => loadOf(type, at(1 + outs + i)));
  const call = `${h.name}(${[...(h.pure === true ? [] : ['<i32>cpu']), ...args].join(', ')})`;
  return [
    outs === 0 ? `${call};` : `const r = ${call};`,
    ...(h.faults === true ? [`if (load<i32>(cpu + CPU_EXIT_REASON) != 0) ${FAULT}`] : []),
    ...(outs === 0 ? [] : [`${storeOf(h.ret, at(1), 'r')};`]),
    advance,
    NEXT,
  ];
}
