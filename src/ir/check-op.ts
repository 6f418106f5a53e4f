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
  const { args, imms, name } = op;
  const def = OPS.get(name);
  if (def === undefined) return { check: 'arity', message: `no op named ${name}` };
  let { outs, ins } = def;
  if (name === 'call') {
    const helper = HELPERS.get(String(imms[0]));
    if (helper === undefined) return { check: 'arity', message: `no helper named ${String(imms[0])}` };
    outs = helper.ret === undefined ? [] : [helper.ret];
    ins = helper.params;
  }
  const nOuts = outs.length;
  const want = nOuts + ins.length;
  if (args.length !== want) return { check: 'arity', message: `${name} takes ${want} arguments, not ${args.length}` };
  if (imms.length !== def.imms.length)
    return { check: 'arity', message: `${name} takes ${def.imms.length} immediates, not ${imms.length}` };
  for (let i = 0; i < want; i++) {
    const id = args[i] as TempId;
    const type = i < nOuts ? outs[i] : ins[i - nOuts];
    const t = temps[id];
    if (t === undefined)
      return { check: 'temp-range', message: `temp ${id} is out of range: there are ${temps.length}` };
    if (t.type !== type)
      return {
        check: 'type',
        message: `argument ${i} of ${name} (${t.name}) is ${t.type}, not ${String(type)}`,
        temp: id,
      };
    if (i < nOuts && t.kind === 'const')
      return { check: 'write-const', message: `writes to the constant ${t.name}`, temp: id };
  }
  for (let i = 0; i < imms.length; i++) {
    const wrong = badImmediate(def.imms[i], imms[i]);
    if (wrong !== undefined) return { check: 'immediate', message: `immediate ${i} of ${name}: ${wrong}` };
  }
  if (def.check === undefined) return undefined;
  // Few checks look at constant inputs.
  const consts = def.check.length > 1 ? args.slice(nOuts).map((id) => temps[id]?.value) : [];
  const wrong = def.check(imms, consts);
  return wrong === undefined ? undefined : { check: 'immediate', message: `${name}: ${wrong}` };
}

const COND_NAMES: ReadonlySet<unknown> = new Set(CONDS);

function badImmediate(kind: OpDef['imms'][number] | undefined, imm: Imm | undefined): string | undefined {
  switch (kind) {
    case 'cond':
      return COND_NAMES.has(imm) ? undefined : `${String(imm)} is no condition`;
    case 'label':
    case 'pc':
      return Number.isSafeInteger(imm) && Number(imm) >= 0 ? undefined : `${String(imm)} is no ${kind}`;
    case 'num':
      return Number.isSafeInteger(imm) ? undefined : `${String(imm)} is no whole number`;
    default:
      return undefined;
  }
}
