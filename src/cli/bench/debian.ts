/**
 * Debian's programs on generated input: the group `debian`. In: a directory for the input files. Out: workloads of three to six seconds under qemu-x86_64, and the programs that this host lacks.
 * Each prints what depends on all of its work, the same on every run.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Workload } from './workloads.js';

const PYTHON = (n: number): string => `
import json, re, hashlib
class Account:
    def __init__(self, owner): self.owner, self.sum, self.log = owner, 0, []
    def add(self, v):
        self.sum += v
        if v % 7 == 0: self.log.append((v, self.owner))
def primes(limit):
    sieve = bytearray([1]) * (limit + 1)
    for i in range(2, int(limit ** 0.5) + 1):
        if sieve[i]:
            for k in range(i * i, limit + 1, i): sieve[k] = 0
    return sum(sieve) - 2
x, total, words = 1, 0, {}
accounts = [Account("o%d" % i) for i in range(50)]
for i in range(${n}):
    x = (x * 1664525 + 1013904223) & 0xffffffff
    accounts[x % 50].add(x >> 20)
    w = "w%d" % (x >> 18 & 1023)
    words[w] = words.get(w, 0) + 1
text = json.dumps([(a.owner, a.sum, len(a.log)) for a in accounts])
back = sum(s for _, s, _ in json.loads(text))
found = sum(len(m) for m in re.findall(r"o\\d+", text * (${n} // 4000 + 1)))
print(back, found, primes(${n}), hashlib.sha256(repr(sorted(words.items())).encode()).hexdigest())
print(sum(v * v for v in [(i ^ x) % 1000 for i in range(${n})]), pow(3, ${n} * 50, 2 ** 4000 - 1) % 10 ** 20)`;

const PERL = (n: number): string => `
my ($x, %words, @list) = (1);
for my $i (1 .. ${n}) {
  $x = ($x * 1664525 + 1013904223) & 0xffffffff;
  $words{"w" . ($x >> 20)}++;
  push @list, $x if $i % 5 == 0;
}
my $text = join " ", map { "$_=$words{$_}" } sort keys %words;
my $count = 0;
$count += $1 while $text =~ /=(\\d+)/g;
(my $other = $text) =~ s/w(\\d)(\\d*)/$2:$1/g;
@list = sort { $a <=> $b } @list;
sub fib { my $n = shift; $n < 2 ? $n : fib($n - 1) + fib($n - 2) }
print "$count ", length $other, " $list[0] $list[-1] ", fib(int(log(${n}) * 1.6)), " ", unpack("%32C*", $other), "\\n";`;

const LUA = (n: number): string => `
local x, words, list = 1, {}, {}
local Point = {}
Point.__index = Point
function Point.new(a, b) return setmetatable({ a = a, b = b }, Point) end
function Point:dot(o) return self.a * o.a + self.b * o.b end
local sum, p = 0, Point.new(3, 4)
for i = 1, ${n} do
  x = (x * 1664525 + 1013904223) & 0xffffffff
  local w = "w" .. (x >> 20)
  words[w] = (words[w] or 0) + 1
  sum = sum + p:dot(Point.new(x & 15, i & 7)) % 11
  if i % 10 == 0 then list[#list + 1] = x end
end
table.sort(list)
local parts = {}
for w, c in pairs(words) do parts[#parts + 1] = w .. "=" .. c end
table.sort(parts)
local text = table.concat(parts, " ")
local count = 0
for c in text:gmatch("=(%d+)") do count = count + tonumber(c) end
print(sum, count, list[1], list[#list], #text:gsub("w(%d)", "%1:"))`;

const SQL = (n: number): string => `
create table t(a integer primary key, b text, c real, d integer);
with recursive n(i, x) as (select 1, 1 union all select i + 1, (x * 1103515245 + 12345) & 2147483647 from n where i < ${n})
  insert into t select i, 'row ' || (x % 1000), x * 0.5, x >> 8 from n;
create index tb on t(b);
create index td on t(d);
select count(*), round(sum(c), 1), avg(d), max(b) from t where b like 'row 1%';
select b, count(*) as k, sum(d) from t group by b order by k desc, b limit 5;
select count(*) from t as u join t as v on u.b = v.b and u.a < v.a where u.a < ${n} / 20;
update t set c = c + 1 where d % 3 = 0;
delete from t where a % 5 = 0;
select count(*), round(sum(c), 1), sum(length(b || hex(d))) from t;`;

const BASH = (n: number): string => `
declare -A words; x=1; s=0; list=()
for ((i = 0; i < ${n}; i++)); do
  ((x = (x * 1664525 + 1013904223) & 0xffffffff, s += x >> 16))
  w=w$((x >> 24)); ((words[$w]++))
  case $w in *7) list+=("\${w#w}") ;; w1*) s=$((s ^ \${#w})) ;; esac
done
f() { local n=$1; ((n < 2)) && { r=$n; return; }; f $((n - 1)); local k=$r; f $((n - 2)); ((r += k)); }
f 15
text="\${list[*]}"; text=\${text//7/seven}
echo "$s $r \${#list[@]} \${#words[@]} \${words[w5]} \${#text}"`;

/** A C file of `n` functions, as preprocessed. */
function cSource(n: number): string {
  const parts = ['typedef unsigned int u32; typedef unsigned long u64; extern u64 hook(u64, const char *);'];
  for (let i = 0; i < n; i++)
    parts.push(
      `struct s${i} { u32 a[${(i % 7) + 2}]; u64 b; struct s${i} *next; };`,
      `u64 f${i}(struct s${i} *p, u32 n) {`,
      `  u64 sum = ${i}; u32 k;`,
      `  for (k = 0; k < n && p; k++, p = p->next) {`,
      `    switch (p->a[k % ${(i % 7) + 2}] % 6) { case 0: sum += p->b; break; case 1: sum ^= p->b << ${(i % 13) + 1}; break;`,
      `      case 2: p->a[0] += ${i % 5}; case 3: sum *= ${2 * i + 3}; break; case 4: sum = hook(sum, "f${i}"); break; default: p->b = sum / (k + 1); }`,
      `    if (sum > ${i * 977}ul) sum -= p->a[1] * (u64)n; else sum += ${i > 0 ? `f${i - 1}((struct s${i - 1} *)p, n / 2)` : 'n'};`,
      `  }`,
      `  return sum; }`,
    );
  return parts.join('\n') + '\n';
}

/** Text that compresses as text does. */
function prose(bytes: number): string {
  const words = 'block register of the translate a guest page and is its memory call in host to fault signal'.split(
    ' ',
  );
  const parts: string[] = [];
  let x = 1;
  for (let size = 0; size < bytes;) {
    x = (Math.imul(x, 1664525) + 1013904223) >>> 0;
    const word = x >>> 28 === 0 ? x.toString(36) : (words[(x >>> 16) % words.length] ?? '');
    parts.push(word, x >>> 27 === 5 ? '.\n' : ' ');
    size += word.length + 1;
  }
  return parts.join('').slice(0, bytes);
}

interface DebianRow {
  readonly name: string;
  readonly file: string;
  /** `part`: share of the work, 1 for all. `put` writes an input file and gives its name. */
  readonly input: (
    part: number,
    put: (name: string, text: string) => string,
  ) => { readonly args: readonly string[]; readonly stdin?: string };
}

const count = (n: number, part: number): number => Math.max(1, Math.round(n * part));

const ROWS: readonly DebianRow[] = [
  { name: 'python3', file: '/usr/bin/python3', input: (p) => ({ args: ['-I', '-c', PYTHON(count(400_000, p))] }) },
  { name: 'perl', file: '/usr/bin/perl', input: (p) => ({ args: ['-e', PERL(count(1_800_000, p))] }) },
  { name: 'lua', file: '/usr/bin/lua5.4', input: (p) => ({ args: ['-e', LUA(count(900_000, p))] }) },
  {
    name: 'sqlite3',
    file: '/usr/bin/sqlite3',
    input: (p) => ({ args: ['-batch', ':memory:'], stdin: SQL(count(120_000, p)) }),
  },
  { name: 'bash', file: '/usr/bin/bash', input: (p) => ({ args: ['--norc', '-c', BASH(count(45_000, p))] }) },
  {
    name: 'gzip',
    file: '/usr/bin/gzip',
    input: (p, put) => ({ args: ['-9nc', put('prose', prose(count(10 << 20, p)))] }),
  },
  {
    name: 'xz',
    file: '/usr/bin/xz',
    input: (p, put) => ({ args: ['-6cT1', put('prose-xz', prose(count(3 << 20, p)))] }),
  },
  {
    name: 'openssl-dgst',
    file: '/usr/bin/openssl',
    input: (p, put) => ({ args: ['dgst', '-sha3-256', '-r', put('bytes', prose(1 << 20).repeat(count(250, p)))] }),
  },
  {
    name: 'openssl-kdf',
    file: '/usr/bin/openssl',
    input: (p) => ({
      args: [
        ...['kdf', '-keylen', '32', '-kdfopt', 'digest:SHA512', '-kdfopt', 'pass:word', '-kdfopt', 'salt:salt'],
        ...['-kdfopt', `iter:${count(500_000, p)}`, 'PBKDF2'],
      ],
    }),
  },
  {
    name: 'cc1',
    file: cc1(),
    input: (p, put) => ({
      args: ['-quiet', '-O2', '-fpreprocessed', put('source.i', cSource(count(45, p))), '-o', '-'],
    }),
  },
];

/** GCC's compiler proper; `gcc -S` starts it. */
function cc1(): string {
  const r = spawnSync('gcc', ['-print-prog-name=cc1'], { encoding: 'utf8' });
  return r.error === undefined ? r.stdout.trim() : 'cc1';
}

/** @param directory where input files go */
export function debianWorkloads(
  directory: string,
  quick: boolean,
): { readonly workloads: readonly Workload[]; readonly skipped: readonly string[] } {
  const put = (name: string, text: string): string => {
    writeFileSync(join(directory, name), text);
    return name;
  };
  const there = ROWS.filter((r) => existsSync(r.file));
  return {
    workloads: there.map((r) => ({
      name: r.name,
      group: 'debian',
      file: r.file,
      ...r.input(quick ? 1 / 40 : 1, put),
      cwd: directory,
      wholeTime: true,
      interpScale: 1,
    })),
    skipped: ROWS.filter((r) => !there.includes(r)).map((r) => `${r.name}: ${r.file} is not installed`),
  };
}
