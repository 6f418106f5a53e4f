/**
 * What vector instructions cost: nanoseconds each, in a chain where each waits for the one before, natively, under lift64 and under qemu-x86_64 where there is one.
 * usage: node scripts/bench-vector.js [FILTER]   (build first; needs an x86-64 host with AES and SHA, and gcc)
 * In: a regular expression of names. Out: a table on stdout. `integer add` is what to compare with.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const LIFT64 = join(dirname(fileURLToPath(import.meta.url)), '..', 'bin', 'lift64.js');
/** Short rounds, of which the best counts: other work on the machine only makes them slower. */
const ROUNDS = 60;
const STEPS = 50_000;
/** Seconds that a step runs before it counts. */
const WARM_UP = 0.4;

/** Name, and the step as assembly: %0 is the xmm register of the chain, %1 another, %2 the general register of a chain, %3 another. */
const STEPS_OF = [
  ['integer add', 'add %3, %2'],
  ['integer imul', 'imul %3, %2'],
  ['paddd', 'paddd %1, %0'],
  ['pmuludq', 'pmuludq %1, %0'],
  ['psadbw', 'psadbw %1, %0'],
  ['addsd', 'addsd %1, %0'],
  ['mulps', 'mulps %1, %0'],
  ['cvtsd2si, cvtsi2sd', 'cvtsd2si %0, %2; cvtsi2sd %2, %0'],
  ['pshufb', 'pshufb %1, %0'],
  ['phaddw', 'phaddw %1, %0'],
  ['pmaddubsw', 'pmaddubsw %1, %0'],
  ['pmulhrsw', 'pmulhrsw %1, %0'],
  ['psignb', 'psignb %1, %0'],
  ['palignr', 'palignr $5, %1, %0'],
  ['pblendvb', 'pblendvb %%xmm0, %1, %0'],
  ['pmovzxbw', 'pmovzxbw %0, %0'],
  ['pmulld', 'pmulld %1, %0'],
  ['mpsadbw', 'mpsadbw $5, %1, %0'],
  ['phminposuw', 'phminposuw %0, %0'],
  ['ptest, sete', 'ptest %0, %1; sete %b2; movd %k2, %0'],
  ['pinsrb, pextrb', 'pextrb $3, %0, %k2; pinsrb $5, %k2, %0'],
  ['roundps', 'roundps $0, %0, %0'],
  ['dpps', 'dpps $0x71, %1, %0'],
  ['pcmpistri any', 'pcmpistri $0, %1, %0; movd %%ecx, %0'],
  ['pcmpistri each', 'pcmpistri $0x18, %1, %0; movd %%ecx, %0'],
  ['pcmpistrm ordered', 'pcmpistrm $0x4c, %1, %%xmm0'],
  ['aesenc', 'aesenc %1, %0'],
  ['aesdec', 'aesdec %1, %0'],
  ['aesimc', 'aesimc %0, %0'],
  ['pclmulqdq', 'pclmulqdq $0x10, %1, %0'],
  ['sha1rnds4', 'sha1rnds4 $1, %1, %0'],
  ['sha256rnds2', 'sha256rnds2 %%xmm0, %1, %0'],
  ['sha256msg1', 'sha256msg1 %1, %0'],
  ['sha256msg2', 'sha256msg2 %1, %0'],
];

/** A program that prints a line a step: the best of its rounds, in nanoseconds. */
function program(steps) {
  const bodies = steps.map(([, code], i) => {
    const list = code.split('; ').join('\\n\\t');
    return `static double f${i}(void) {
  __m128i a = _mm_set_epi32(1, 0x3f9abcde, 3, 0x12345678), b = _mm_set_epi32(0x01020304, 6, 0x3f8e0d0c, 8);
  long n = 3, m = 5;
  double best = 1e9;
  for (int round = 0; round < ${ROUNDS}; round++) {
    double start = now();
    for (int i = 0; i < ${STEPS}; i++) __asm__ volatile("${list}" : "+x"(a), "+x"(b), "+r"(n), "+r"(m) : : "cc", "rcx", "xmm0");
    double taken = now() - start;
    if (taken < best) best = taken;
  }
  return best / ${STEPS} * 1e9;
}`;
  });
  return `#include <immintrin.h>
#include <stdio.h>
#include <time.h>
static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec + t.tv_nsec * 1e-9;
}
${bodies.join('\n')}
int main(void) {
  static double (*const steps[])(void) = {${steps.map((_, i) => `f${i}`).join(', ')}};
  /* The compiler has to start, too. */
  double started = now() + 8 * ${WARM_UP};
  while (now() < started) steps[0]();
  for (unsigned i = 0; i < sizeof steps / sizeof *steps; i++) {
    double warm = now() + ${WARM_UP};
    while (now() < warm) steps[i]();
    printf("%.2f\\n", steps[i]());
    fflush(stdout);
  }
  return 0;
}
`;
}

/** Lines of the command's output, as many as there are: QEMU before version 9 knows no SHA instructions. */
function lines(command, args) {
  const { stdout } = spawnSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  return stdout?.trim().split('\n') ?? [];
}

const filter = new RegExp(process.argv[2] ?? '');
const steps = STEPS_OF.filter(([name]) => filter.test(name));
const directory = mkdtempSync(join(tmpdir(), 'bench-vector-'));
try {
  const [source, file] = [join(directory, 'bench.c'), join(directory, 'bench')];
  writeFileSync(source, program(steps));
  const gcc = spawnSync('gcc', ['-O2', '-static', '-maes', '-msse4.2', '-mpclmul', '-msha', source, '-o', file], {
    stdio: 'inherit',
  });
  if (gcc.status !== 0) throw new Error('gcc failed');
  const columns = {
    native: lines(file, []),
    lift64: lines(process.execPath, [LIFT64, file]),
    qemu: lines('qemu-x86_64', ['-cpu', 'max', file]),
  };
  console.log(['ns'.padEnd(20), ...Object.keys(columns).map((name) => name.padStart(8))].join(''));
  steps.forEach(([name], i) => {
    const figures = Object.values(columns).map((column) => (column[i] || '-').padStart(8));
    console.log(name.padEnd(20) + figures.join(''));
  });
} finally {
  rmSync(directory, { recursive: true });
}
