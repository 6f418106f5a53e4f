/**
 * The IR's text form, which parse.ts reads back. In: a Tb. Out: lines.
 *
 *     tb 0x401000 size 7 insns 2
 *       temps t0:i64 t1:i32.tb
 *      ---- 0x401000 cc_op dynamic
 *       add_i64 t0, rax, $0x10
 *       brcond_i64 t0, $0x0, ltu, L0
 *       call cc_compute_c t0, cc_op, cc_dst, cc_src, cc_src2
 *      L0:
 *       goto_tb 0, 0x401007
 *       exit_tb 0
 *     end
 *
 * Arguments first (outputs before inputs), then immediates; constants are `$` and hex, their type is the argument's.
 */
import { opDef } from './ops.js';
import type { Imm, Op, Tb, Temp } from './types.js';

/** The lines of `tb`; the op at index `mark` gets a line of `^` below it. */
export function printTb(tb: Tb, mark?: number): string[] {
  const lines = [`tb ${hexPc(tb.pc)} size ${tb.size} insns ${tb.insns}`];
  const own = tb.temps.filter((t) => t.kind === 'ebb' || t.kind === 'tb').map(declaration);
  for (let i = 0; i < own.length; i += 12) lines.push(`  temps ${own.slice(i, i + 12).join(' ')}`);
  tb.ops.forEach((op, i) => {
    const line = printOp(op, tb.temps);
    lines.push(line);
    if (i === mark) lines.push(line.replace(/\S/g, '^'));
  });
  lines.push('end');
  return lines;
}

/** One op as a line, indented. */
export function printOp(op: Op, temps: readonly Temp[]): string {
  if (op.name === 'insn_start') {
    const ccOp = Number(op.imms[1]);
    return ` ---- ${hexPc(Number(op.imms[0]))} cc_op ${ccOp < 0 ? 'dynamic' : ccOp}`;
  }
  if (op.name === 'set_label') return ` L${String(op.imms[0])}:`;
  const kinds = opDef(op.name).imms;
  const args = op.args.map((id) => temps[id]?.name ?? `#${id}`);
  const imms = op.imms.map((imm, i) => printImm(kinds[i], imm));
  if (op.name === 'call') return `  call ${imms.join('')} ${args.join(', ')}`.trimEnd();
  return `  ${op.name} ${[...args, ...imms].join(', ')}`.trimEnd();
}

function printImm(kind: string | undefined, imm: Imm): string {
  if (typeof imm === 'object') return `[${imm.join(' ')}]`;
  if (kind === 'label') return `L${imm}`;
  if (kind === 'pc' && typeof imm === 'number') return hexPc(imm);
  return String(imm);
}

const hexPc = (pc: number): string => `0x${pc.toString(16)}`;
const declaration = (t: Temp): string => `${t.name}:${t.type}${t.kind === 'tb' ? '.tb' : ''}`;
