/**
 * What a CPU model costs: Debian's programs under several -cpu, since glibc picks its functions by CPUID. In: [--runs N] [--models A,B;...] [PROGRAM...]. Out: a row a program: seconds with
 * the first model, and for the others the time relative to it; elapsed time and, after a slash, processor time of all threads; each the least of the runs, which take turns. Every result must be the native one.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const LIFT64 = join(dirname(dirname(fileURLToPath(import.meta.url))), 'bin', 'lift64.js');
const MODELS = ['max', 'max,-avx2', 'max,-avx', 'Haswell', 'Nehalem', 'qemu64'];
const ENV = { PATH: '/usr/bin:/bin', LANG: 'C', HOME: '/nonexistent' };

const PERL =
  'my %h; while (<>) { for (split) { $h{lc $_} .= length } } my $s = 0; $s += length for values %h; print "$s\\n"';
const PYTHON =
  'import re, json; t = open("text").read(); print(len(re.findall(r"\\w+ing", t)), len(json.dumps(t.split())), t.count("ab"), t.find("zzz"))';

/** Program, arguments; in a directory with `text` (0.7 MB of words) and `bytes` (4 MB). */
const PROGRAMS = {
  sort: ['/usr/bin/sort', 'lines'],
  grep: ['/bin/grep', '-c', 'zq[a-f]*t', 'text'],
  perl: ['/usr/bin/perl', '-e', PERL, 'text'],
  python3: ['/usr/bin/python3', '-c', PYTHON],
  'bash start': ['/bin/bash', '--norc', '-c', 'echo $((6 * 7))'],
  'python3 start': ['/usr/bin/python3', '-c', 'print(1)'],
  xz: ['/usr/bin/xz', '-2', '-c', 'lines'],
  sha256sum: ['/usr/bin/sha256sum', 'bytes'],
};

const { values, positionals } = parseArgs({
  options: { runs: { type: 'string', default: '5' }, models: { type: 'string' } },
  allowPositionals: true,
});
const models = values.models?.split(';') ?? MODELS;
const runs = Number(values.runs);

function fixture() {
  const dir = mkdtempSync(join(tmpdir(), 'lift64-cpu-'));
  let x = 1;
  const next = () => (x = (x * 48271) % 2147483647);
  const word = () => Array.from({ length: 2 + (next() % 9) }, () => String.fromCharCode(97 + (next() % 26))).join('');
  const vocabulary = Array.from({ length: 5000 }, word);
  const words = Array.from({ length: 100_000 }, (_, i) => vocabulary[next() % 5000] + (i % 12 === 11 ? '\n' : ' '));
  writeFileSync(join(dir, 'text'), words.join(''));
  writeFileSync(
    join(dir, 'lines'),
    words
      .slice(0, 30_000)
      .map((w) => w.trim())
      .join('\n') + '\n',
  );
  writeFileSync(
    join(dir, 'bytes'),
    Uint8Array.from({ length: 4 << 20 }, (_, i) => (i * i) >> 5),
  );
  return dir;
}

/** Processor seconds of the children that have ended. Source: man 5 proc, /proc/pid/stat, cutime and cstime. */
function childrenSeconds() {
  const fields = readFileSync('/proc/self/stat', 'latin1')
    .replace(/^.*\) /, '')
    .split(' ');
  return (Number(fields[13]) + Number(fields[14])) / 100;
}

function run(command, args, cwd) {
  const start = performance.now();
  const before = childrenSeconds();
  const r = spawnSync(command, args, { cwd, env: ENV, maxBuffer: 64 << 20 });
  if (r.status !== 0) throw new Error(`${command} ${args.join(' ')}: ${r.stderr ?? r.error}`);
  return { seconds: (performance.now() - start) / 1000, processor: childrenSeconds() - before, stdout: r.stdout };
}

const dir = fixture();
try {
  console.log(['program', `${models[0]}, s`, ...models.slice(1)].join(' | '));
  for (const [name, [file, ...args]] of Object.entries(PROGRAMS)) {
    if (positionals.length > 0 && !positionals.includes(name)) continue;
    const expected = run(file, args, dir).stdout;
    const times = models.map(() => []);
    for (let i = 0; i < runs; i++)
      models.forEach((model, m) => {
        const { seconds, processor, stdout } = run(process.execPath, [LIFT64, '-cpu', model, file, ...args], dir);
        if (!stdout.equals(expected)) throw new Error(`${name} under -cpu ${model}: not what it prints natively`);
        times[m].push([seconds, processor]);
      });
    const least = times.map((list) => [0, 1].map((k) => Math.min(...list.map((t) => t[k]))));
    const cells = least.map((t, m) => t.map((v, k) => (m === 0 ? v : v / least[0][k]).toFixed(2)).join('/'));
    console.log([name, ...cells].join(' | '));
  }
} finally {
  rmSync(dir, { recursive: true, force: true });
}
