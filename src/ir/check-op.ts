/**
 * The checks of one op against its row: arity, argument types, temp ids, writes to constants, immediates. Builder and verifier share them.
 * In: an op and the TB's temps. Out: the first thing that is wrong.
 */
import type { TempId } from '../base/ids.js';
import { HELPERS } from './helpers.js';
import type { IrCheck } from './ir-error.js';
import { OPS, type OpDef } from './ops.js';
import { CONDS, type Imm, type Op, type Temp, type Type } from './types.js';

export interface OpFault {
  readonly check: IrCheck;
  readonly message: string;
  readonly temp?: TempId;
}

/** Output and input types of `op`; a call's are its helper's. Undefined when the op or the helper does not exist. */
export function signature(
  op: Op,
): { readonly outs: readonly Type[]; readonly ins: readonly Type[]; readonly def: OpDef } | undefined {
  const def = OPS.get(op.name);
  if (def === undefined) return undefined;
  if (op.name !== 'call') return { outs: def.outs, ins: def.ins, def };
  const helper = HELPERS.get(String(op.imms[0]));
  if (helper === undefined) return undefined;
  return { outs: helper.ret === undefined ? [] : [helper.ret], ins: helper.params, def };
}

/** What is wrong with `op` by itself; undefined: nothing. */
export function checkOp(op: Op, temps: readonly Temp[]): OpFault | undefined {
  const sig = signature(op);
  if (sig === undefined)
    return {
      check: 'arity',
      message: op.name === 'call' ? `no helper named ${String(op.imms[0])}` : `no op named ${op.name}`,
    };
  const { outs, ins, def } = sig;
  const want = outs.length + ins.length;
  if (op.args.length !== want)
    return { check: 'arity', message: `${op.name} takes ${want} arguments, not ${op.args.length}` };
  if (op.imms.length !== def.imms.length)
    return { check: 'arity', message: `${op.name} takes ${def.imms.length} immediates, not ${op.imms.length}` };
  for (let i = 0; i < want; i++) {
    const id = op.args[i] as TempId;
    const type = i < outs.length ? outs[i] : ins[i - outs.length];
    const t = temps[id];
    if (t === undefined)
      return { check: 'temp-range', message: `temp ${id} is out of range: there are ${temps.length}` };
    if (t.type !== type)
      return {
        check: 'type',
        message: `argument ${i} of ${op.name} (${t.name}) is ${t.type}, not ${String(type)}`,
        temp: id,
      };
    if (i < outs.length && t.kind === 'const')
      return { check: 'write-const', message: `writes to the constant ${t.name}`, temp: id };
  }
  for (let i = 0; i < def.imms.length; i++) {
    const wrong = badImmediate(def.imms[i], op.imms[i]);
    if (wrong !== undefined) return { check: 'immediate', message: `immediate ${i} of ${op.name}: ${wrong}` };
  }
  const wrong = def.check?.(
    op.imms,
    op.args.slice(outs.length).map((id) => temps[id]?.value),
  );
  return wrong === undefined ? undefined : { check: 'immediate', message: `${op.name}: ${wrong}` };
}

function badImmediate(kind: OpDef['imms'][number] | undefined, imm: Imm | undefined): string | undefined {
  switch (kind) {
    case 'cond':
      return (CONDS as readonly unknown[]).includes(imm) ? undefined : `${String(imm)} is no condition`;
    case 'label':
    case 'pc':
      return Number.isSafeInteger(imm) && Number(imm) >= 0 ? undefined : `${String(imm)} is no ${kind}`;
    case 'num':
      return Number.isSafeInteger(imm) ? undefined : `${String(imm)} is no whole number`;
    default:
      return undefined;
  }
}
