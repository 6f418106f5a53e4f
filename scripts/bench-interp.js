/**
 * Speed of the interpreter: `node scripts/bench-interp.js [--json]` after npm run build. In: nothing. Out: nanoseconds an IR op, nanoseconds and instructions a second of guest loops,
 * microseconds to encode a TB. Each figure is the best of several runs: other work on the machine only makes it slower.
 */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..');
const dist = (path) => import(pathToFileURL(join(ROOT, 'dist', path)).href);
const { encodeTb } = await dist('backend-wasm/bytecode/encode.js');
const { translate } = await dist('frontend/x86-64/translate.js');
const { CodeCache } = await dist('src/engine/code-cache.js');
const { instantiateCore } = await dist('src/engine/core.js');
const { memoryViews } = await dist('src/engine/memory-views.js');
const { CPU, EXIT, RUN_FLAG } = await dist('src/guest/cpu-state.js');
const { HEAT_OFF } = await dist('src/guest/tb-header.js');
const { CPU_BASE, PERM, PERM_TABLE, WASM_PAGES } = await dist('src/guest/memory-map.js');
const { IrBuilder } = await dist('src/ir/builder.js');
const { G } = await dist('src/ir/globals.js');
const { optimise, PASSES } = await dist('src/opt/pipeline.js');

const RUNS = 5;
/** Jumps a run: the fuel of one entry. */
const JUMPS = 2_000_000;
const OPS = 500;
const CODE = 0x40_0000;
const DATA = 0x60_0000;
const DATA_SIZE = 1 << 20;

const memory = new WebAssembly.Memory({ initial: WASM_PAGES, maximum: WASM_PAGES, shared: true });
const views = memoryViews(memory);
CodeCache.initialise(views);
const cache = new CodeCache(views, () => undefined);
const core = instantiateCore(new WebAssembly.Module(readFileSync(join(ROOT, 'dist', 'core.wasm'))), memory);
views.u8.fill(
  PERM.R | PERM.W | PERM.RFAST | PERM.WFAST,
  PERM_TABLE + DATA / 4096,
  PERM_TABLE + (DATA + DATA_SIZE) / 4096,
);

const setI32 = (offset, value) => (views.i32[(CPU_BASE + offset) / 4] = value);
const setReg = (n, value) => (views.i64[(CPU_BASE + CPU.REGS) / 8 + n] = BigInt(value));
const counted = (offset) => Number(views.i64[(CPU_BASE + offset) / 8]);
const encode = (tb) => encodeTb(tb, views.i32, (bytes) => cache.allocate(bytes), HEAT_OFF);
const add = (tb) => cache.insert(encode(tb), tb.pc, tb.size);

setI32(CPU.RUN_FLAGS, RUN_FLAG.INTERP_ONLY);
setI32(CPU.DF, 1);

/** Runs from `pc` for `jumps` jumps, again and again; gives the best nanoseconds a jump. */
function time(pc, jumps, reset = () => undefined) {
  let best = Infinity;
  for (let run = 0; run < RUNS; run++) {
    reset();
    views.i64[(CPU_BASE + CPU.RIP) / 8] = BigInt(pc);
    setI32(CPU.FUEL, jumps);
    const start = process.hrtime.bigint();
    const reason = core.run(CPU_BASE);
    const ns = Number(process.hrtime.bigint() - start);
    if (reason !== EXIT.YIELD)
      throw new Error(`exit ${reason} at 0x${views.i64[(CPU_BASE + CPU.RIP) / 8].toString(16)}`);
    best = Math.min(best, ns / jumps);
  }
  return best;
}

/** A TB of one instruction that jumps to itself after `body`. */
function loopTb(pc, body) {
  const b = new IrBuilder(pc);
  b.insnStart(pc, -1);
  body(b);
  b.emit('goto_tb', [], [0, pc]);
  b.emit('exit_tb', [], [0]);
  return b.finish(1);
}

const [RAX, RCX, RDX, RSP] = [0, 1, 2, 4].map((n) => G.reg(n));
function guarded(b, kind, use) {
  const host = b.temp('i32');
  const address = b.temp('i64');
  b.emit('add_i64', [address, RDX, b.i64(0x808)]);
  b.emit(`guard_${kind}`, [host, address], [8]);
  use(host);
  b.free(host);
  b.free(address);
}

const OP_BODIES = {
  'add_i64 slot': (b) => b.emit('add_i64', [RAX, RAX, RCX]),
  'add_i64 constant': (b) => b.emit('add_i64', [RAX, RAX, b.i64(3)]),
  mov_i64: (b) => b.emit('mov_i64', [RAX, RCX]),
  setcond_i64: (b) => b.emit('setcond_i64', [RAX, RCX, b.i64(5)], ['ltu']),
  'load (add, guard, gld)': (b) => guarded(b, 'r', (host) => b.emit('gld_i64', [RAX, host], [0])),
  'store (add, guard, gst)': (b) => guarded(b, 'w', (host) => b.emit('gst_i64', [host, RAX], [0])),
  'push (sub, guard, gst, mov)': (b) => {
    const [host, t] = [b.temp('i32'), b.temp('i64')];
    b.emit('sub_i64', [t, RDX, b.i64(0)]);
    b.emit('guard_w', [host, t], [8]);
    b.emit('gst_i64', [host, RAX], [0]);
    b.emit('mov_i64', [RSP, t]);
    b.free(host);
    b.free(t);
  },
  'call cc_compute_all': (b) => b.emit('call', [RAX, b.i32(15), RCX, RDX, RDX], ['cc_compute_all']),
  v_add_i32x4: (b) => b.emit('v_add_i32x4', [G.xmm(0), G.xmm(0), G.xmm(1)]),
};

const registers = () => {
  for (let n = 0; n < 16; n++) setReg(n, DATA + 4096 * n);
};

function opTimes() {
  const rows = [];
  const pc = (i) => CODE + 0x1000 * i;
  const empty = time((add(loopTb(CODE, () => undefined)), CODE), JUMPS, registers);
  rows.push({ name: 'goto_tb to itself', ns: empty });
  Object.entries(OP_BODIES).forEach(([name, body], i) => {
    add(
      loopTb(pc(i + 1), (b) => {
        for (let n = 0; n < OPS; n++) body(b);
      }),
    );
    rows.push({ name, ns: (time(pc(i + 1), JUMPS / 100, registers) - empty) / OPS });
  });
  return rows;
}

/** Guest loops as machine code: they jump back to their start for ever. */
const LOOPS = [
  // l: movzx eax, byte [rsi]; imul rdx, rdx, 31; add rdx, rax; inc rsi; cmp rsi, rdi; jne l; jmp l
  ['byte hash: load, multiply, add, compare, jne', '0fb606486bd21f4801c248ffc64839fe75eeebec'],
  // l: mov rax, [rbp-8]; add rax, [rbp-16]; mov [rbp-16], rax; add qword [rbp-8], 1; cmp qword [rbp-8], 0; jne l; jmp l
  ['stack variables as -O0 has them', '488b45f8480345f0488945f0488345f80148837df80075e8ebe6'],
  // l: mov rax, [rax]; add rdx, [rax+8]; test rax, rax; jne l; jmp l
  ['linked list', '488b00480350084885c075f4ebf2'],
  // l: call f; dec rcx; jne l; jmp l; f: push rbx; mov rbx, rcx; add rax, rbx; pop rbx; ret
  ['call, push, pop, ret', 'e80700000048ffc975f6ebf4534889cb4801d85bc3'],
];

function loopTimes() {
  return LOOPS.map(([name, hex], i) => {
    const code = Buffer.from(hex, 'hex');
    const pc = CODE + 0x10_0000 + 0x1000 * i;
    const reader = { bytes: code, base: pc, readable: (at) => Math.max(0, pc + code.length - at) };
    const pending = [pc];
    const known = new Set();
    // All TBs that a run asks for.
    const reset = () => {
      registers();
      setReg(5, DATA + 0x8000);
      setReg(6, DATA);
      setReg(7, DATA - 1);
      setReg(4, DATA + 0x8000);
      setReg(0, DATA);
      views.i64[DATA / 8] = BigInt(DATA);
    };
    const translated = (at) => {
      if (known.has(at)) throw new Error('translated twice');
      known.add(at);
      add(optimise(translate(reader, at, { maxInsns: 64 }), PASSES));
    };
    translated(pending[0]);
    for (;;) {
      reset();
      views.i64[(CPU_BASE + CPU.RIP) / 8] = BigInt(pc);
      setI32(CPU.FUEL, 1000);
      const reason = core.run(CPU_BASE);
      if (reason === EXIT.YIELD) break;
      if (reason !== EXIT.TRANSLATE) throw new Error(`${name}: exit ${reason}`);
      translated(Number(views.i64[(CPU_BASE + CPU.RIP) / 8]));
    }
    const tbs = counted(CPU.TB_EXECS);
    const insns = counted(CPU.INSN_EXECS);
    const jumps = JUMPS / 4;
    const ns = time(pc, jumps, reset);
    const perTb = (counted(CPU.INSN_EXECS) - insns) / (counted(CPU.TB_EXECS) - tbs);
    return { name, nsPerInsn: ns / perTb, millionInsnsPerSecond: (1000 * perTb) / ns };
  });
}

/** Microseconds to encode a TB of 8 instructions of the usual kinds. */
function encodeTime() {
  const code = Buffer.from('554889e54883ec10897dfc8b45fc83c0018945f8837df80575f6', 'hex');
  const reader = { bytes: code, base: CODE, readable: (at) => Math.max(0, CODE + code.length - at) };
  const tb = optimise(translate(reader, CODE, { maxInsns: 64 }), PASSES);
  const scratch = 0xf000_0000;
  let best = Infinity;
  for (let run = 0; run < RUNS; run++) {
    const start = process.hrtime.bigint();
    for (let n = 0; n < 5000; n++) encodeTb(tb, views.view, () => scratch, { hotThreshold: 0 });
    best = Math.min(best, Number(process.hrtime.bigint() - start) / 5000 / 1000);
  }
  return { insns: tb.insns, ops: tb.ops.length, microseconds: best };
}

const result = { ops: opTimes(), loops: loopTimes(), encode: encodeTime() };
if (process.argv.includes('--json')) console.log(JSON.stringify(result));
else {
  console.log('IR op                                  ns');
  for (const { name, ns } of result.ops) console.log(`${name.padEnd(34)}${ns.toFixed(2).padStart(7)}`);
  console.log('\nguest loop                                        ns an insn   M insns/s');
  for (const r of result.loops)
    console.log(
      `${r.name.padEnd(48)}${r.nsPerInsn.toFixed(2).padStart(12)}${r.millionInsnsPerSecond.toFixed(0).padStart(12)}`,
    );
  const { insns, ops, microseconds } = result.encode;
  console.log(`\nencoding a TB of ${insns} instructions, ${ops} ops: ${microseconds.toFixed(2)} us`);
}
