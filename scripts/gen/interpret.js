/** The interpreter's loop as AssemblyScript. In: the opcodes with their cases, the helper table. Out: the texts of gen/interpret.ts and gen/core.ts. */
import { enter, goTo, leaveOnTheWay } from './jumps.js';

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
export function interpret({ opcodes, WAY_LINK: wayLink }, helpers, caseOf) {
  const cases = opcodes().map((o) =>
    [`        case ${o.code}: { // ${o.key}`, ...caseOf(o).map((l) => `          ${l}`), '        }'].join('\n'),
  );
  return `
import { ${ATOMICS.join(', ')} } from '../../helpers/atomics';
import { truncIndefinite_f32_i32, truncIndefinite_f32_i64, truncIndefinite_f64_i32, truncIndefinite_f64_i64 } from '../../helpers/convert';
import { exception, guardReadOfTb, guardRWOfTb, guardWriteOfTb } from '../../helpers/guard';
${helperFiles(helpers)
  .map(([file, names]) => statement('import', names, file))
  .join('\n')}
import { cached, fault, leave, left, noteTarget, outOfFuel, resolve } from '../dispatch';
import {
  CPU_CC_DST, CPU_CC_OP, CPU_CC_SRC, CPU_CONTROL, CPU_CUR_TB, CPU_EXIT_ARG0, CPU_EXIT_REASON, CPU_FUEL, CPU_RIP, CPU_RUN_FLAGS, EXC_GP, EXIT_POLL,
  RUN_FLAG_NO_CHAIN, TB_CODE, TB_HEAT, TB_INSNS, TB_SLOT, TB_STATE, TB_STATE_VALID, TB_TARGETS,
} from './constants';

/** Interprets from TB header \`start\` until an exit; gives the exit reason. */
export function interpret(cpu: usize, start: usize): i32 {
  let fuel = (load<i32>(cpu + CPU_RUN_FLAGS) & RUN_FLAG_NO_CHAIN) != 0 ? 1 : load<i32>(cpu + CPU_FUEL);
  let insns: i64 = 0;
  let tb = start;
  let pc: usize = 0;
  let way: usize = 0;
  ${enter()}
  while (true) {
    switch (load<u16>(pc)) {
${cases.join('\n')}
      default:
        unreachable();
    }
    // To another TB: its pc is at \`way\`, with the link cell behind it.
    const target = load<u64>(way);
    ${leaveOnTheWay()}
    const next = <usize>load<u32>(way, ${wayLink});
    ${goTo(`way + ${wayLink}`)}
  }
}
`;
}

/** Everything that the engine and the compiled regions import. */
export function core(helpers, fingerprint) {
  return `
export { run, slotOfRip, slotStub } from '../dispatch';
export { takeTbs, wordsHash } from '../stored-tbs';
export { eflagsOf } from '../../helpers/cc';
export { guardSlow_r, guardSlow_w, guardSlow_rw } from '../../helpers/guard';
export { ${ATOMICS.join(', ')} } from '../../helpers/atomics';
export * from '../../helpers/convert';
export { syscallInPlace } from '../../helpers/syscall';
/** Of the opcodes that this core was built for (backend-wasm/bytecode/opcodes.ts). */
export function bytecodeFingerprint(): i32 {
  return ${fingerprint};
}
${helperFiles(helpers)
  .map(([file, names]) => statement('export', names, file))
  .join('\n')}
`;
}
