/**
 * System, privileged, cache and hint instructions. Out: rows. Source: SDM 2A to 2D, one section each; reserved NOPs: appendix A, table A-3.
 */
import type { TempId } from '../../../src/base/ids.js';
import { EXC, EXIT, GPR } from '../../../src/guest/cpu-state.js';
import { FLAG } from '../../../src/guest/flags.js';
import { G } from '../../../src/ir/globals.js';
import { fxrstor, ldmxcsr, stmxcsr } from '../float-control.js';
import type { InsnRow, LiftFn } from '../insn.js';
import type { Lifter } from '../lifter.js';
import { describe, isAccessible } from '../segments.js';
import { bare, fxState } from '../x87.js';

/** SYSCALL: the pc is advanced before the call is served (DESIGN.md section 7). */
function syscall(l: Lifter): void {
  l.exit(EXIT.SYSCALL, 0, l.options.latePc ? l.insn.addr : l.next);
}

const ud = (l: Lifter): void => {
  l.undefinedOpcode();
};

/** SGDT and SIDT at CPL 3: processors prevent them (CR4.UMIP), and Linux gives a limit of 0 and a base of its own. */
function tableRegister(base: bigint): LiftFn {
  return (l) => {
    const m = l.mem(0);
    const host = l.guardWrite(l.ea(m), m.size);
    l.st(host, l.i64(0), 2);
    l.st(host, l.i64(base), 8, 2);
  };
}

/** SLDT, STR, SMSW at CPL 3: as Linux answers in the processor's place; a 32-bit register keeps its upper half then. */
function systemWord(value: number): LiftFn {
  return (l) => {
    const o = l.op(0);
    if (o.kind === 'mem') {
      l.dest(0).store(l.i64(value));
      return;
    }
    const d = G.reg(l.register(0));
    const size = l.size(0);
    if (size === 8) l.mov(d, l.i64(value));
    else l.emit('deposit_i64', [d, d, l.i64(value)], [0, 8 * size]);
  };
}
const sgdt = tableRegister(-0x2_0000n);
const sidt = tableRegister(-0x1_0000n);
const sldt = systemWord(0);
/** The selector of the task state segment. */
const str = systemWord(0x40);
/** CR0 as Linux has it. */
const smsw = systemWord(0x8005_0033);

function nop(): void {
  // Hints: nothing that a program could observe.
}

function fence(l: Lifter): void {
  l.emit('fence', []);
}

/** CLFLUSH, CLFLUSHOPT, CLWB: a load as far as faults go. */
function clflush(l: Lifter): void {
  l.guardRead(l.ea(l.mem(0)), 1);
}

function cpuid(l: Lifter): void {
  l.call('cpuid', []);
}

function timestamp(l: Lifter): void {
  const t = l.callFor('rdtsc', []);
  l.emit('ext32u_i64', [G.reg(GPR.RAX), t]);
  l.mov(G.reg(GPR.RDX), l.shr(t, l.i64(32)));
}
const rdtsc = timestamp;

/** RDTSCP: IA32_TSC_AUX is 0 (CPU and node 0). */
function rdtscp(l: Lifter): void {
  timestamp(l);
  l.mov(G.reg(GPR.RCX), l.i64(0));
}

/** RDPID: IA32_TSC_AUX, as RDTSCP gives it. */
function rdpid(l: Lifter): void {
  l.dest(0).store(l.i64(0));
}

/** RDRAND and RDSEED: there is always a number (CF); the other flags are cleared. */
function random(l: Lifter): void {
  l.dest(0).store(l.callFor('random', []));
  l.flags.setEflags(l.i64(FLAG.CF));
}

function readBase(base: TempId): LiftFn {
  return (l) => {
    l.dest(0).store(base);
  };
}

/** WRFSBASE, WRGSBASE: #GP when the address is not canonical. */
function writeBase(base: TempId): LiftFn {
  return (l) => {
    const value = l.copy(l.loadZ(0), 'tb');
    l.raiseIf('ne', l.sar(l.shl(value, l.i64(16)), l.i64(16)), value, EXC.GP);
    l.mov(base, value);
  };
}

/** ZF says that the selector in the operand is one of user code's; the other flags stay. */
function setZero(l: Lifter, zf: TempId): void {
  l.flags.setEflags(l.or(l.and(l.flags.all(), l.i64(~FLAG.ZF)), l.shl(zf, l.i64(6))));
}

/** LAR, LSL: the destination keeps its value when ZF is 0. */
function describeSelector(what: 'rights' | 'limit'): LiftFn {
  return (l) => {
    const { result, valid } = describe(l, l.load(1), what);
    const d = G.reg(l.register(0));
    const full = l.insn.opSize === 2 ? l.e('deposit_i64', [d, result], [0, 16]) : result;
    setZero(l, valid);
    l.mov(d, l.movcond('ne', valid, l.i64(0), full, d));
  };
}

/** VERR, VERW. */
function verify(forWriting: boolean): LiftFn {
  return (l) => {
    setZero(l, isAccessible(l, l.load(0), forWriting));
  };
}

export const systemRows = [
  { enc: '0F 05', mnemonic: 'syscall', operands: '', feature: 'base', attrs: ['branch'], lift: syscall },
  { enc: '0F 34', mnemonic: 'sysenter', operands: '', feature: 'base', attrs: ['branch'], lift: ud },
  { enc: '0F 07', mnemonic: 'sysret/sysret/sysretq', operands: '', feature: 'base', attrs: ['branch', 'privileged'] },
  {
    enc: '0F 35',
    mnemonic: 'sysexit/sysexit/sysexitq',
    operands: '',
    feature: 'base',
    attrs: ['branch', 'privileged'],
  },
  { enc: 'F4', mnemonic: 'hlt', operands: '', feature: 'base', attrs: ['branch', 'privileged'] },
  { enc: '0F A2', mnemonic: 'cpuid', operands: '', feature: 'base', lift: cpuid },
  { enc: '0F 31', mnemonic: 'rdtsc', operands: '', feature: 'base', lift: rdtsc },
  { enc: '0F 01 F9', mnemonic: 'rdtscp', operands: '', feature: 'rdtscp', lift: rdtscp },
  { enc: '0F 33', mnemonic: 'rdpmc', operands: '', feature: 'base', attrs: ['privileged'] },
  { enc: '0F 30', mnemonic: 'wrmsr', operands: '', feature: 'base', attrs: ['privileged'] },
  { enc: '0F 32', mnemonic: 'rdmsr', operands: '', feature: 'base', attrs: ['privileged'] },
  { enc: '0F 06', mnemonic: 'clts', operands: '', feature: 'base', attrs: ['privileged'] },
  { enc: '0F 08', mnemonic: 'invd', operands: '', feature: 'base', attrs: ['privileged'] },
  { enc: '0F 09', mnemonic: 'wbinvd', operands: '', feature: 'base', attrs: ['privileged'] },
  { enc: '0F AA', mnemonic: 'rsm', operands: '', feature: 'base', attrs: ['branch'], lift: ud },
  { enc: '0F 01 F8', mnemonic: 'swapgs', operands: '', feature: 'base', attrs: ['privileged'] },
  { enc: 'NP 0F 01 C8', mnemonic: 'monitor', operands: '', feature: 'monitor', attrs: ['privileged'], lift: ud },
  { enc: 'NP 0F 01 C9', mnemonic: 'mwait', operands: '', feature: 'monitor', attrs: ['privileged'], lift: ud },
  { enc: '0F 00 /0', mnemonic: 'sldt', operands: 'Ev/w', feature: 'base', lift: sldt },
  { enc: '0F 00 /1', mnemonic: 'str', operands: 'Ev/w', feature: 'base', lift: str },
  { enc: '0F 00 /2', mnemonic: 'lldt', operands: 'Ev/w', feature: 'base', attrs: ['privileged'] },
  { enc: '0F 00 /3', mnemonic: 'ltr', operands: 'Ev/w', feature: 'base', attrs: ['privileged'] },
  { enc: '0F 00 /4', mnemonic: 'verr', operands: 'Ev/w', feature: 'base', lift: verify(false) },
  { enc: '0F 00 /5', mnemonic: 'verw', operands: 'Ev/w', feature: 'base', lift: verify(true) },
  { enc: '0F 01 /0', mnemonic: 'sgdt', operands: 'Ms', feature: 'base', lift: sgdt },
  { enc: '0F 01 /1', mnemonic: 'sidt', operands: 'Ms', feature: 'base', lift: sidt },
  { enc: '0F 01 /2', mnemonic: 'lgdt', operands: 'Ms', feature: 'base', attrs: ['privileged'] },
  { enc: '0F 01 /3', mnemonic: 'lidt', operands: 'Ms', feature: 'base', attrs: ['privileged'] },
  { enc: '0F 01 /4', mnemonic: 'smsw', operands: 'Ev/w', feature: 'base', lift: smsw },
  { enc: '0F 01 /6', mnemonic: 'lmsw', operands: 'Ev/w', feature: 'base', attrs: ['privileged'] },
  { enc: '0F 01 /7', mnemonic: 'invlpg', operands: 'M', feature: 'base', attrs: ['privileged'] },
  { enc: '0F 02 /r', mnemonic: 'lar', operands: 'Gv,Ev/w', feature: 'base', lift: describeSelector('rights') },
  { enc: '0F 03 /r', mnemonic: 'lsl', operands: 'Gv,Ev/w', feature: 'base', lift: describeSelector('limit') },
  { enc: '0F 20 /r', mnemonic: 'mov', operands: 'Rq,Cq', feature: 'base', attrs: ['mod-ignored', 'privileged'] },
  { enc: '0F 21 /r', mnemonic: 'mov', operands: 'Rq,Dq', feature: 'base', attrs: ['mod-ignored', 'privileged'] },
  { enc: '0F 22 /r', mnemonic: 'mov', operands: 'Cq,Rq', feature: 'base', attrs: ['mod-ignored', 'privileged'] },
  { enc: '0F 23 /r', mnemonic: 'mov', operands: 'Dq,Rq', feature: 'base', attrs: ['mod-ignored', 'privileged'] },
  { enc: 'F3 0F AE /0', mnemonic: 'rdfsbase', operands: 'Ry', feature: 'fsgsbase', lift: readBase(G.fsBase) },
  { enc: 'F3 0F AE /1', mnemonic: 'rdgsbase', operands: 'Ry', feature: 'fsgsbase', lift: readBase(G.gsBase) },
  { enc: 'F3 0F AE /2', mnemonic: 'wrfsbase', operands: 'Ry', feature: 'fsgsbase', lift: writeBase(G.fsBase) },
  { enc: 'F3 0F AE /3', mnemonic: 'wrgsbase', operands: 'Ry', feature: 'fsgsbase', lift: writeBase(G.gsBase) },
  { enc: 'NP 0F AE /0', mnemonic: 'fxsave', operands: 'M512', feature: 'fxsr', lift: fxState('x87_fxsave', true, 0) },
  {
    enc: 'NP 0F AE /1',
    mnemonic: 'fxrstor',
    operands: 'M512',
    feature: 'fxsr',
    lift: fxrstor(0),
  },
  {
    enc: 'NP REX.W 0F AE /0',
    mnemonic: 'fxsave64',
    operands: 'M512',
    feature: 'fxsr',
    lift: fxState('x87_fxsave', true, 1),
  },
  {
    enc: 'NP REX.W 0F AE /1',
    mnemonic: 'fxrstor64',
    operands: 'M512',
    feature: 'fxsr',
    lift: fxrstor(1),
  },
  { enc: 'NP 0F AE /2', mnemonic: 'ldmxcsr', operands: 'Md', feature: 'sse', lift: ldmxcsr },
  { enc: 'NP 0F AE /3', mnemonic: 'stmxcsr', operands: 'Md', feature: 'sse', lift: stmxcsr },
  { enc: 'NFx 0F C7 /6', mnemonic: 'rdrand', operands: 'Rv', feature: 'rdrand', lift: random },
  { enc: 'NFx 0F C7 /7', mnemonic: 'rdseed', operands: 'Rv', feature: 'rdseed', lift: random },
  { enc: 'F3 0F C7 /7', mnemonic: 'rdpid', operands: 'Rq', feature: 'rdpid', lift: rdpid },
  { enc: '66 0F AE /7', mnemonic: 'clflushopt', operands: 'Mb', feature: 'clflushopt', lift: clflush },
  { enc: '66 0F AE /6', mnemonic: 'clwb', operands: 'Mb', feature: 'clwb', lift: clflush },
  { enc: 'NP 0F AE /7', mnemonic: 'clflush', operands: 'Mb', feature: 'sse2', lift: clflush },
  { enc: 'NP 0F AE /5', mnemonic: 'lfence', operands: '', feature: 'sse2', attrs: ['reg-only'], lift: fence },
  { enc: 'NP 0F AE /6', mnemonic: 'mfence', operands: '', feature: 'sse2', attrs: ['reg-only'], lift: fence },
  { enc: 'NP 0F AE /7', mnemonic: 'sfence', operands: '', feature: 'sse', attrs: ['reg-only'], lift: fence },
  { enc: 'REX.B0 90', mnemonic: 'nop', operands: '', feature: 'base', lift: nop },
  { enc: 'F3 REX.B0 90', mnemonic: 'pause', operands: '', feature: 'base', lift: nop },
  { enc: '9B', mnemonic: 'wait', operands: '', feature: 'x87', lift: bare('x87_check') },
  // Hints. 0F 0D and 0F 18 to 0F 1F: what is not a named hint is a NOP that accesses nothing.
  { enc: '0F 0D /0', mnemonic: 'prefetch', operands: 'Mb', feature: '3dnow-prefetch', lift: nop },
  { enc: '0F 0D /1', mnemonic: 'prefetchw', operands: 'Mb', feature: '3dnow-prefetch', lift: nop },
  { enc: '0F 0D /2', mnemonic: 'prefetchwt1', operands: 'Mb', feature: '3dnow-prefetch', lift: nop },
  { enc: '0F 0D /3', mnemonic: 'prefetchw', operands: 'Mb', feature: '3dnow-prefetch', lift: nop },
  { enc: '0F 0D /4', mnemonic: 'prefetch', operands: 'Mb', feature: '3dnow-prefetch', lift: nop },
  { enc: '0F 0D /5', mnemonic: 'prefetch', operands: 'Mb', feature: '3dnow-prefetch', lift: nop },
  { enc: '0F 0D /6', mnemonic: 'prefetch', operands: 'Mb', feature: '3dnow-prefetch', lift: nop },
  { enc: '0F 0D /7', mnemonic: 'prefetch', operands: 'Mb', feature: '3dnow-prefetch', lift: nop },
  // On AMD, whose prefetch this is, a register form is #UD.
  { enc: '0F 0D /r', mnemonic: 'nop', operands: 'Ev,Gv', feature: 'base', lift: ud },
  { enc: '0F 18 /0', mnemonic: 'prefetchnta', operands: 'Mb', feature: 'sse', lift: nop },
  { enc: '0F 18 /1', mnemonic: 'prefetcht0', operands: 'Mb', feature: 'sse', lift: nop },
  { enc: '0F 18 /2', mnemonic: 'prefetcht1', operands: 'Mb', feature: 'sse', lift: nop },
  { enc: '0F 18 /3', mnemonic: 'prefetcht2', operands: 'Mb', feature: 'sse', lift: nop },
  { enc: '0F 18 /r', mnemonic: 'nop', operands: 'Ev,Gv', feature: 'base', lift: nop },
  { enc: '0F 19 /r', mnemonic: 'nop', operands: 'Ev,Gv', feature: 'base', lift: nop },
  { enc: '0F 1A /r', mnemonic: 'nop', operands: 'Ev,Gv', feature: 'base', lift: nop },
  { enc: '0F 1B /r', mnemonic: 'nop', operands: 'Ev,Gv', feature: 'base', lift: nop },
  { enc: '0F 1C /r', mnemonic: 'nop', operands: 'Ev,Gv', feature: 'base', lift: nop },
  { enc: '0F 1D /r', mnemonic: 'nop', operands: 'Ev,Gv', feature: 'base', lift: nop },
  { enc: '0F 1E /r', mnemonic: 'nop', operands: 'Ev,Gv', feature: 'base', lift: nop },
  { enc: '0F 1F /0', mnemonic: 'nop', operands: 'Ev', feature: 'base', lift: nop },
  { enc: '0F 1F /r', mnemonic: 'nop', operands: 'Ev,Gv', feature: 'base', lift: nop },
  { enc: 'F3 0F 1E FA', mnemonic: 'endbr64', operands: '', feature: 'cet', lift: nop },
  { enc: 'F3 0F 1E FB', mnemonic: 'endbr32', operands: '', feature: 'cet', lift: nop },
] as const satisfies readonly InsnRow[];
