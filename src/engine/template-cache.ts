/**
 * Templates by shape: what an instruction's bytecode is but for its registers, displacement and immediate (template-maker.ts). In: guest bytes, what is known of the flags. Out: a template, and in
 * `shape` the values for its places.
 *
 * The key of a template is everything that its making depended on: the shape; which registers are the same, or their numbers, where one of them is also in the code by itself (push rsp) or the
 * comparison has failed; how large the immediate is, or its value, where the lifter looked at it; the static CC_OP, where the lifter read it.
 */
import { bytecodeFingerprint } from '../../backend-wasm/bytecode/opcodes.js';
import { TemplatePool } from '../../backend-wasm/bytecode/template-pool.js';
import type { Decode } from '../../frontend/x86-64/decoder.js';
import type { LiftOptions } from '../../frontend/x86-64/lifter.js';
import { INDEX, REG, RM, Shape, VVVV } from '../../frontend/x86-64/shape.js';
import type { DispatchTables } from '../../frontend/x86-64/table-build.js';
import { KeyTable } from './key-table.js';
import {
  decodeAt,
  IMM_LONG,
  IMM_LONG_NEGATIVE,
  IMM_SHORT,
  IMM_SHORT_NEGATIVE,
  makeEndTemplate,
  makeInsnTemplate,
} from './template-maker.js';

/** What is the same for all instructions of a shape, and what the templates made so far have shown. */
interface Form {
  /** Left to the lifter. */
  readonly lifted: boolean;
  readonly immBytes: number;
  /** The immediate is the distance of a branch. */
  readonly branch: boolean;
  /** A register of a byte may be ah, ch, dh or bh. */
  readonly byteRegs: boolean;
  exactRegs: boolean;
  exactImm: boolean;
  usesFlags: boolean;
  /** Registers that are in the code by themselves, as bits. */
  implicit: number;
}

/** A form's bits in a snapshot. */
const FORM_BIT = { lifted: 1, branch: 2, byteRegs: 4, exactRegs: 8, exactImm: 16, usesFlags: 32 } as const;
/** immBytes lies above them. */
const IMM_SHIFT = 6;
/** Numbers of a form in a snapshot: its bits and immBytes; implicit. */
const FORM_INTS = 2;
const LIFTED: Form = {
  lifted: true,
  immBytes: 0,
  branch: false,
  byteRegs: false,
  exactRegs: false,
  exactImm: false,
  usesFlags: false,
  implicit: 0,
};

const IMM_BYTES: ReadonlySet<number> = new Set([0, 1, 2, 4, 8]);
/** The form of the jumps that end TBs. */
const END_FORM = -2;
/** Bits of a template's first key. */
const EXACT_REGS = 1 << 21;
const REX = 1 << 20;
const STATE_SHIFT = 22;
const USES_FLAGS = 1 << 29;
const EXACT_IMM = 1 << 30;

export class TemplateCache {
  /** Of the instruction that was looked up last. */
  readonly shape: Shape;
  readonly pool: TemplatePool;
  private readonly forms: Form[] = [];
  /** Index of a form by the shape; record of a template by the form and two keys, 0: left to the lifter. */
  private readonly formTable: KeyTable;
  private readonly templateTable: KeyTable;

  /** @param kept what `snapshot` gave, of this build, for the same instruction tables and options */
  constructor(
    private readonly decode: Decode,
    tables: DispatchTables,
    private readonly options: LiftOptions,
    kept?: Int32Array,
  ) {
    const [fingerprint, ...sizes] = kept?.subarray(0, SECTIONS + 1) ?? [];
    const sections: Int32Array[] = [];
    if (kept !== undefined && fingerprint === bytecodeFingerprint()) {
      let at = SECTIONS + 1;
      for (const size of sizes) sections.push(kept.subarray(at, (at += size)));
    }
    const [infos, forms, formTable, templateTable, pool] = sections;
    this.shape = new Shape(tables, infos);
    if (forms !== undefined) this.forms = readForms(forms);
    this.formTable = new KeyTable(formTable ?? 10);
    this.templateTable = new KeyTable(templateTable ?? 12);
    this.pool = new TemplatePool(pool);
  }

  /** All templates, for another cache. */
  snapshot(): Int32Array {
    const sections = [
      this.shape.snapshot(),
      writeForms(this.forms),
      this.formTable.snapshot(),
      this.templateTable.snapshot(),
      this.pool.snapshot(),
    ];
    const sizes = sections.map(({ length }) => length);
    const all = new Int32Array(1 + SECTIONS + sizes.reduce((sum, size) => sum + size, 0));
    all.set([bytecodeFingerprint(), ...sizes]);
    let at = 1 + SECTIONS;
    for (const section of sections) {
      all.set(section, at);
      at += section.length;
    }
    return all;
  }

  /** Record of the template of the instruction at `pc`, which is `bytes[at]`; MAX_LENGTH bytes are there. `state`: template-maker.ts. 0: it is left to the lifter. */
  find(bytes: Uint8Array, at: number, pc: number, state: number): number {
    const s = this.shape;
    if (!s.read(bytes, at, pc)) return 0;
    let index = this.formTable.get(s.key0, s.key1, 0);
    if (index < 0) index = this.addForm(bytes, at);
    const form = this.forms[index];
    if (form === undefined || form.lifted) return 0;
    s.readImmediate(bytes, at, form.immBytes);
    const exact = this.isExact(form);
    const found = this.templateTable.get(index, this.firstKey(form, state, exact), this.secondKey(form));
    return found >= 0 ? found : this.add(index, bytes, at, state, exact);
  }

  /** The jump that ends a TB. */
  end(state: number): number {
    let end = this.templateTable.get(END_FORM, state, 0);
    if (end < 0) {
      const made = makeEndTemplate(state);
      end = made === undefined ? 0 : this.pool.add(made);
      this.templateTable.set(END_FORM, state, 0, end);
    }
    return end;
  }

  /** Index of a new form; -1 for invalid bytes, which are not remembered: others of this shape may be valid. */
  private addForm(bytes: Uint8Array, at: number): number {
    const s = this.shape;
    const insn = decodeAt(this.decode, bytes, at, this.shape.pc);
    if (insn === undefined) return -1;
    const immBytes = insn.length - s.length;
    const form = {
      ...LIFTED,
      lifted: !IMM_BYTES.has(immBytes) || insn.row.lift === undefined,
      immBytes,
      branch: insn.operands.some((o) => o.kind === 'rel'),
      byteRegs: insn.operands.some((o) => o.kind === 'gpr' && o.size === 1),
      exactRegs: s.fixed,
    };
    this.formTable.set(s.key0, s.key1, 0, this.forms.length);
    return this.forms.push(form) - 1;
  }

  /** Whether a template is good for these registers alone. */
  private isExact(form: Form): boolean {
    const { regs, hasRex, hasMemory } = this.shape;
    const reg = regs[REG] as number;
    const rm = regs[RM] as number;
    if (form.exactRegs) return true;
    const named = (1 << reg) | (1 << rm) | (1 << (regs[INDEX] as number)) | (1 << (regs[VVVV] as number));
    if ((form.implicit & named) !== 0) return true;
    return form.byteRegs && !hasRex && (reg >= 4 || (rm >= 4 && !hasMemory));
  }

  private firstKey(form: Form, state: number, exact: boolean): number {
    const { regs, hasRex } = this.shape;
    const a = regs[REG] as number;
    const b = regs[RM] as number;
    const c = regs[INDEX] as number;
    const d = regs[VVVV] as number;
    let key = 0;
    if (exact) {
      key = EXACT_REGS | (hasRex ? REX : 0) | (a + 1) | ((b + 1) << 5) | ((c + 1) << 10) | ((d + 1) << 15);
    } else {
      if (a === b) key = 1;
      if (a === c) key |= 2;
      if (b === c) key |= 4;
      if (d === a) key |= 8;
      if (d === b) key |= 16;
      if (d === c) key |= 32;
    }
    if (form.usesFlags) key |= USES_FLAGS | (state << STATE_SHIFT);
    return form.exactImm ? key | EXACT_IMM : key;
  }

  private secondKey(form: Form): number {
    if (form.exactImm) return this.shape.immLow;
    return form.branch ? 0 : this.immSize;
  }

  private get immSize(): number {
    const { immLow, immHigh } = this.shape;
    if (immHigh >= 0) return immHigh === 0 && immLow >= 0 && immLow < 0x8000 ? IMM_SHORT : IMM_LONG;
    return immHigh === -1 && immLow < 0 && immLow >= -0x8000 ? IMM_SHORT_NEGATIVE : IMM_LONG_NEGATIVE;
  }

  /** Makes the template of the instruction that was looked up, as general as it can be. */
  private add(index: number, bytes: Uint8Array, at: number, state: number, exact: boolean): number {
    const form = this.forms[index];
    const insn = decodeAt(this.decode, bytes, at, this.shape.pc);
    if (form === undefined || insn === undefined) return 0;
    const { shape, immSize, decode, options } = this;
    const { immBytes, branch } = form;
    const wanted = { shape, row: insn.row, immBytes, branch, immSize, state };
    const canBeExactImm = immBytes > 0 && immBytes <= 4 && !branch;
    for (const regs of exact ? [false] : [true, false])
      for (const imm of form.exactImm ? [false] : canBeExactImm ? [true, false] : [true]) {
        const made = makeInsnTemplate(decode, wanted, { regs, imm }, options);
        if (made === undefined) continue;
        form.usesFlags ||= made.dependsOnFlags;
        form.exactImm ||= !imm;
        form.exactRegs ||= !exact && !regs;
        if (regs) form.implicit |= made.implicit;
        const record = this.put(index, form, state, !regs, this.pool.add(made));
        // These registers may be among those that the code has by itself: then they have a template of their own.
        return regs && this.isExact(form) ? this.add(index, bytes, at, state, true) : record;
      }
    return this.put(index, form, state, exact, 0);
  }

  private put(index: number, form: Form, state: number, exact: boolean, record: number): number {
    this.templateTable.set(index, this.firstKey(form, state, exact), this.secondKey(form), record);
    return record;
  }
}

/** Sections of a snapshot: what is known of opcodes, forms, their table, the templates' table, the pool; before them the bytecode's fingerprint and their lengths. */
const SECTIONS = 5;

function writeForms(forms: readonly Form[]): Int32Array {
  const ints = forms.flatMap((form) => {
    const bits =
      (form.lifted ? FORM_BIT.lifted : 0) |
      (form.branch ? FORM_BIT.branch : 0) |
      (form.byteRegs ? FORM_BIT.byteRegs : 0) |
      (form.exactRegs ? FORM_BIT.exactRegs : 0) |
      (form.exactImm ? FORM_BIT.exactImm : 0) |
      (form.usesFlags ? FORM_BIT.usesFlags : 0);
    return [bits | (form.immBytes << IMM_SHIFT), form.implicit];
  });
  return Int32Array.from(ints);
}

function readForms(ints: Int32Array): Form[] {
  return Array.from({ length: ints.length / FORM_INTS }, (_, i) => {
    const bits = ints[FORM_INTS * i] ?? 0;
    const has = (bit: number): boolean => (bits & bit) !== 0;
    return {
      lifted: has(FORM_BIT.lifted),
      branch: has(FORM_BIT.branch),
      byteRegs: has(FORM_BIT.byteRegs),
      exactRegs: has(FORM_BIT.exactRegs),
      exactImm: has(FORM_BIT.exactImm),
      usesFlags: has(FORM_BIT.usesFlags),
      immBytes: bits >> IMM_SHIFT,
      implicit: ints[FORM_INTS * i + 1] ?? 0,
    };
  });
}
