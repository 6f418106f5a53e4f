/** The interpreter's loop as AssemblyScript. In: the opcodes with their cases, the helper table. Out: the texts of gen/interpret.ts and gen/core.ts. */

const OPS = ['add', 'and', 'or', 'xor', 'xchg'];
const ATOMICS = [1, 2, 4, 8].flatMap((n) => [...OPS.map((op) => `atomicRmw${n}_${op}`), `atomicCmpxchg${n}`]);

/** Helper names by AssemblyScript file. */
function helperFiles(helpers) {
  const byFile = new Map();
  for (const h of helpers) byFile.set(h.file, [...(byFile.get(h.file) ?? []), h.name]);
  return [...byFile];
}

const statement = (kind, names, file) => `${kind} { ${names.join(', ')} } from '../../helpers/${file}';`;

/** @param caseOf lines of an opcode's case */
export function interpret(opcodes, helpers, caseOf) {
  const cases = opcodes.map((o) =>
    [`        case ${o.code}: { // ${o.key}`, ...caseOf(o).map((l) => `          ${l}`), '        }'].join('\n'),
  );
  return `
import { ${ATOMICS.join(', ')} } from '../../helpers/atomics';
import { truncIndefinite_f32_i32, truncIndefinite_f32_i64, truncIndefinite_f64_i32, truncIndefinite_f64_i64 } from '../../helpers/convert';
import { exception, guardRead, guardRW, guardWrite } from '../../helpers/guard';
${helperFiles(helpers)
  .map(([file, names]) => statement('import', names, file))
  .join('\n')}
import { cached, fault, leave, left, resolve } from '../dispatch';
import {
  CPU_CC_DST, CPU_CC_OP, CPU_CC_SRC, CPU_CONTROL, CPU_CUR_TB, CPU_EXIT_ARG0, CPU_EXIT_REASON, CPU_FUEL, CPU_RIP, CPU_RUN_FLAGS, EXC_GP, EXIT_POLL, EXIT_STEP, EXIT_YIELD,
  RUN_FLAG_NO_CHAIN, TB_CODE, TB_HEAT, TB_INSNS, TB_STATE, TB_STATE_VALID,
} from './constants';

/** Interprets from TB header \`start\` until an exit; gives the exit reason. */
export function interpret(cpu: usize, start: usize): i32 {
  const flags = load<i32>(cpu + CPU_RUN_FLAGS);
  let fuel = load<i32>(cpu + CPU_FUEL);
  let insns: i64 = 0;
  let tb = start;
  while (true) {
    store<i32>(cpu + CPU_CUR_TB, <i32>tb);
    insns += <i64>load<u32>(tb + TB_INSNS);
    let pc = <usize>load<u32>(tb + TB_CODE);
    let jump: u64 = 0;
    let chained = true;
    while (true) {
      switch (load<u16>(pc)) {
${cases.join('\n')}
        default:
          unreachable();
      }
      break;
    }
    // A jump: to the TB of the link cell, or by look-up to the TB at rip.
    const target: u64 = chained ? jump & 0xffffffffffff : jump;
    if (atomic.load<i32>(cpu + CPU_CONTROL) != 0) return leave(cpu, target, EXIT_POLL, fuel, insns);
    if ((flags & RUN_FLAG_NO_CHAIN) != 0) return leave(cpu, target, EXIT_STEP, fuel, insns);
    if (--fuel == 0) return leave(cpu, target, EXIT_YIELD, 1, insns);
    const link = chained ? tb + <usize>(jump >> 48) : 0;
    const next = chained ? <usize>load<u32>(link) : cached(cpu, target);
    // One word: HEAT above 0 and SLOT 0.
    const heat = load<u64>(next + TB_HEAT);
    if (next != 0 && load<i32>(next + TB_STATE) == TB_STATE_VALID && heat - 1 < 0x7fffffff) {
      store<u32>(next + TB_HEAT, <u32>heat - 1);
      tb = next;
    } else {
      store<u64>(cpu + CPU_RIP, target);
      tb = resolve(cpu, link);
      if (tb == 0) return left(cpu, fuel + 1, insns);
    }
  }
}
`;
}

/** Everything that the engine and the compiled regions import. */
export function core(helpers, fingerprint) {
  return `
export { run, slotStub } from '../dispatch';
export { guardSlow_r, guardSlow_w, guardSlow_rw } from '../../helpers/guard';
export { ${ATOMICS.join(', ')} } from '../../helpers/atomics';
export * from '../../helpers/convert';
/** Of the opcodes that this core was built for (backend-wasm/bytecode/opcodes.ts). */
export function bytecodeFingerprint(): i32 {
  return ${fingerprint};
}
${helperFiles(helpers)
  .map(([file, names]) => statement('export', names, file))
  .join('\n')}
`;
}
