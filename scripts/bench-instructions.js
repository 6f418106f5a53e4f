/**
 * What instructions cost, family by family: nanoseconds each, natively and under lift64, in a chain where each waits for the one before.
 * usage: node scripts/bench-instructions.js [--qemu] [--page] [FILTER]   (build first; needs gcc and an x86-64 host with AVX2, AES and SHA)
 * In: the steps of scripts/bench/families.js, those whose family or name the regular expression FILTER meets. Out: a table on stdout; with --page, docs/instruction-speed.md. --qemu: a column for qemu-x86_64.
 * "to native" is lift64's time over the native one; "to integer" lift64's over lift64's time of the integer step that it is compared with.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { FAMILIES } from './bench/families.js';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..');
const LIFT64 = join(ROOT, 'bin', 'lift64.js');
const PAGE = join(ROOT, 'docs', 'instruction-speed.md');
/** Runs of a step without a branch between them, and of those in a round. */
const UNROLL = 8;
const ITERATIONS = 4000;
/** Seconds that a step runs before it counts, and then; the best round counts: other work on the machine only makes them slower. */
const WARM_UP = 0.12;
const MEASURE = 0.12;

const lines = (code) => (code === undefined || code === '' ? [] : code.split('; '));

function functionOf({ code, how }, index) {
  const data = how?.data ?? 'int';
  return `
    .balign 64
f${index}:
    push rbx
    push r12
    mov r8, rdi
    mov r9, rsi
    lea r10, [rsi + 4096]
    vmovups ymm0, [rip + data_${data}]
    vmovups ymm1, [rip + data_${data} + 32]
    vmovups ymm2, [rip + data_${data} + 64]
    vmovups ymm3, [rip + data_${data} + 96]
    mov eax, 3
    mov ebx, 0x1234567
    mov ecx, 7
    mov edx, 5
    ${lines(how?.setup).join('\n    ')}
    .balign 64
1:
    ${new Array(UNROLL).fill(lines(code).join('\n    ')).join('\n    ')}
    sub r8, 1
    jnz 1b
    ${lines(how?.end).join('\n    ')}
    vzeroupper
    pop r12
    pop rbx
    ret`;
}

const assembly = (steps) => `
    .intel_syntax noprefix
    .section .note.GNU-stack,"",@progbits
    .section .rodata
    .balign 32
data_int: .rept 8
    .long 0x12345678
    .endr
    .rept 8
    .long 0x00060504
    .endr
    .quad 0x0f0e0d0c0b0a0908, 0x8070605040302010, 3, 0x7fffffff
    .quad 1, 2, 3, 4
data_ps: .rept 8
    .float 1.5
    .endr
    .rept 8
    .long 0x3f800001
    .endr
    .rept 8
    .float 0.5
    .endr
    .rept 8
    .float 2.0
    .endr
data_pd: .rept 4
    .double 1.5
    .endr
    .rept 4
    .double 1.0000001
    .endr
    .rept 4
    .double 0.5
    .endr
    .rept 4
    .double 2.0
    .endr
    .text
${steps.map(functionOf).join('\n')}
    .data
    .balign 8
    .globl steps, step_count
steps: .quad ${steps.map((_, i) => `f${i}`).join(', ')}
step_count: .quad ${steps.length}
`;

const DRIVER = `#include <stdio.h>
#include <time.h>
extern void (*steps[])(long, void *);
extern long step_count;
static char block[8192] __attribute__((aligned(4096)));
static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec + t.tv_nsec * 1e-9;
}
static void run_for(long step, double seconds) {
  double end = now() + seconds;
  while (now() < end) steps[step](${ITERATIONS}, block);
}
int main(void) {
  /* Every step becomes hot before one of them counts: the compiler works beside. */
  for (long i = 0; i < step_count; i++) run_for(i, i == 0 ? 2 : ${WARM_UP});
  for (long i = 0; i < step_count; i++) {
    run_for(i, ${WARM_UP});
    double best = 1e9, end = now() + ${MEASURE};
    for (int round = 0; round < 3 || now() < end; round++) {
      double start = now();
      steps[i](${ITERATIONS}, block);
      double taken = now() - start;
      if (taken < best) best = taken;
    }
    printf("%.3f\\n", best / ${ITERATIONS * UNROLL} * 1e9);
    fflush(stdout);
  }
  return 0;
}
`;

const { values, positionals } = parseArgs({
  options: { qemu: { type: 'boolean', default: false }, page: { type: 'boolean', default: false } },
  allowPositionals: true,
});
const filter = new RegExp(positionals[0] ?? '');
const all = FAMILIES.flatMap(({ family, like, steps }) =>
  steps.map(([name, code, how]) => ({ family, name, code, how, like: how?.like ?? like })),
);
const chosen = all.filter(({ family, name }) => filter.test(family) || filter.test(name));
const wanted = new Set(chosen.map(({ like }) => like));
/** What is compared with is measured, too. */
const steps = all.filter((step) => chosen.includes(step) || wanted.has(step.name));

function measure(command, args) {
  const { stdout, stderr, status } = spawnSync(command, args, { encoding: 'utf8' });
  if (status !== 0 && command !== 'qemu-x86_64') throw new Error(`${command} ${args.join(' ')}: ${stderr}`);
  // QEMU before version 9 knows no SHA instructions: it ends there.
  return (stdout ?? '')
    .trim()
    .split('\n')
    .map((line, i) => Number(line) / (steps[i]?.how?.runs ?? 1));
}

function measureAll() {
  const directory = mkdtempSync(join(tmpdir(), 'bench-instructions-'));
  try {
    const [source, driver, program] = ['steps.s', 'driver.c', 'bench'].map((name) => join(directory, name));
    writeFileSync(source, assembly(steps));
    writeFileSync(driver, DRIVER);
    const gcc = spawnSync('gcc', ['-O2', '-static', driver, source, '-o', program], { stdio: 'inherit' });
    if (gcc.status !== 0) throw new Error('gcc failed');
    return {
      native: measure(program, []),
      lift64: measure(process.execPath, [LIFT64, '-cpu', 'max', program]),
      ...(values.qemu ? { qemu: measure('qemu-x86_64', ['-cpu', 'max', program]) } : {}),
    };
  } finally {
    rmSync(directory, { recursive: true });
  }
}

const times = measureAll();
const digits = (value) => (Number.isFinite(value) ? value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0) : '-');
const indexOf = (name) => steps.findIndex((step) => step.name === name);
const rows = steps.map((step, i) => {
  const integer = times.lift64[indexOf(step.like)];
  return {
    ...step,
    native: times.native[i],
    lift64: times.lift64[i],
    qemu: times.qemu?.[i],
    toNative: times.lift64[i] / times.native[i],
    toInteger: times.lift64[i] / integer,
  };
});
const HEADS = [
  'instruction',
  'native ns',
  'lift64 ns',
  ...(values.qemu ? ['qemu ns'] : []),
  'to native',
  'to integer',
  'integer',
];
const cells = (row) => [
  row.name,
  digits(row.native),
  digits(row.lift64),
  ...(values.qemu ? [digits(row.qemu)] : []),
  digits(row.toNative),
  digits(row.toInteger),
  row.like,
];
const mean = (list) => Math.exp(list.reduce((sum, value) => sum + Math.log(value), 0) / list.length);
const families = FAMILIES.flatMap(({ family }) => {
  const own = rows.filter((row) => row.family === family);
  if (own.length === 0) return [];
  const worst = own.reduce((a, b) => (a.toNative > b.toNative ? a : b));
  return [{ family, own, mean: mean(own.map((row) => row.toNative)), worst }];
});

const textLine = (list) =>
  list
    .map((text, i) => (i === 0 ? text.padEnd(28) : i === HEADS.length - 1 ? `  ${text}` : text.padStart(11)))
    .join('');
for (const { family, own, mean: ratio } of families) {
  console.log(`${family}: ${digits(ratio)} times native`);
  console.log(textLine(HEADS));
  for (const row of own) console.log(textLine(cells(row)));
}

if (values.page) {
  const cpu = /^model name\s*: (.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1] ?? 'unknown';
  const line = (list) => `| ${list.join(' | ')} |`;
  const table = (heads, list) =>
    [line(heads), line(heads.map((_, i) => (i === 0 ? ':--' : '--:'))), ...list.map(line)].join('\n');
  const sections = families.map(({ family, own }) => `## ${family}\n\n${table(HEADS, own.map(cells))}`);
  writeFileSync(
    PAGE,
    `# Speed of instructions

Written by \`node scripts/bench-instructions.js --page\` on ${cpu}, Node ${process.version}. One instruction (or the few that are named) after another, each waiting for the one before where it can: nanoseconds natively and under lift64
(\`--tier auto\`, warm), lift64's time over the native one, and over lift64's own time for the integer instruction in the last column. The steps are in \`scripts/bench/families.js\`. None of this leaves WebAssembly for JavaScript but
RDTSC and RDRAND (\`tests/unit/wasm-only.test.ts\`).

${table(
  ['family', 'steps', 'lift64 to native, mean', 'worst'],
  families.map(({ family, own, mean: ratio, worst }) => [
    family,
    String(own.length),
    digits(ratio),
    `${worst.name} ${digits(worst.toNative)}`,
  ]),
)}

${sections.join('\n\n')}
`,
  );
}
