/**
 * Debian's own programs under lift64: stdout, stderr and exit status are byte for byte the native program's.
 * Each run gets a fixture directory as {tmp}; the programs print no process ids.
 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LIFT64, hostIsOracle } from './driver.js';

interface Row {
  readonly name: string;
  readonly file: string;
  readonly args: readonly string[];
  readonly stdin?: string;
}

const ENV = { PATH: '/usr/bin:/bin', LANG: 'C.UTF-8', TZ: 'UTC' };
const TIME_LIMIT_MS = 100_000;
/** Of every file of the fixture: 2024-02-03 04:05:06 UTC. */
const FIXTURE_TIME = 1706933106;

const NUMBERS = Array.from({ length: 400 }, (_, i) => `${(i * 7919) % 1009} word${i % 13} ${(i * i) % 97}.5`).join(
  '\n',
);
const WORDS = 'pear\napple\nÄpfel\nzebra\nBanana\n10\n9\n';

const AWK =
  '{ s += $1; n[$2]++; m = $3 > m ? $3 : m } END { printf "%d %d %.3f %s\\n", s, n["word5"], m, toupper(substr("substring", 4)) }';
const LUA = `
local t = {}
for i = 1, 2000 do t[i] = (i * 7919) % 1009 end
table.sort(t)
print(t[1], t[1000], #t, math.pi, 2^53, 7 // 2, -7 % 3, 1e300 * 1e10)
print(string.format("%5.2f|%q|%x", 3.14159, "a\\nb", 255), ("hello"):rep(2, "-"):gsub("l", "L"))
print(select(2, pcall(error, { code = 1 })).code, coroutine.wrap(function() coroutine.yield(5) end)())`;
const SQL = `
create table t(a integer primary key, b text, c real);
with recursive n(i) as (select 1 union all select i + 1 from n where i < 500)
  insert into t select i, 'row ' || i, i * 1.5 from n;
create index tb on t(b);
select count(*), sum(c), avg(a), max(b) from t where b like 'row 1%';
select a % 7 as k, count(*), round(sum(c), 2) from t group by k order by k desc;
select hex(sha3('abc')) from t limit 1;
select upper('x') || printf('%08.3f', 3.14159), json_extract('{"a":[1,2]}', '$.a[1]');`;
const PYTHON = `
import hashlib, json, re, struct, zlib, math, sys
print(hashlib.sha256(b"lift64").hexdigest(), zlib.crc32(b"lift64"), zlib.decompress(zlib.compress(b"x" * 999))[:3])
print(json.dumps({"a": [1, 2.5, None], "b": "\\u00e4"}, sort_keys=True), re.findall(r"(\\w)(\\d+)", "a1 b22 c333"))
print(2 ** 200 // 7 ** 30, math.sin(1), math.fsum([0.1] * 10), struct.pack("<dI", 1.5, 7).hex(), float("1e308") * 10)
print(sum(i * i for i in range(3000)), sorted({"q": 1, "b": 2}.items()))
try:
    1 / 0
except ZeroDivisionError as e:
    print("caught", e, file=sys.stderr)
sys.exit(3)`;
const PERL = `
my %h; $h{$_ % 7} += $_ for 1 .. 2000;
print join(",", map { "$_=$h{$_}" } sort keys %h), "\\n";
(my $s = "The quick brown fox") =~ s/(\\w+) (\\w+)/$2 $1/;
printf "%s %.10g %s %e\\n", $s, atan2(1, 1) * 4, join("", reverse split //, "abc"), 12345.678;
print scalar(localtime(0)), " ", unpack("H*", pack("N n C", 1, 2, 3)), "\\n";
eval { die "inside\\n" }; print STDERR "caught $@"; exit 4;`;
const BASH = `
a=(one two three); declare -A m=([x]=1 [y]=2)
for ((i = 0; i < 300; i++)); do ((s += i * i)); done
printf '%s %d %05.1f %q\\n' "\${a[1]}" "$s" 2.25 'a b'
[[ abc123 =~ ^([a-z]+)([0-9]+)$ ]] && echo "\${BASH_REMATCH[2]} \${#a[@]} \${m[y]}"
p=/usr/lib/x.tar.gz; echo "\${p##*/} \${p%%.*} \${p/lib/LIB} \${p^^} \${p:5:3} \${undefined:-default}"
read -r u v <<< 'here string'; echo "$v $u"
f() { local n=$1; ((n < 2)) && { r=$n; return; }; f $((n - 1)); local k=$r; f $((n - 2)); ((r += k)); }
f 10; echo "$r $((0x1f << 3)) $((7 % 3)) $((2 ** 40))"
case $p in *.gz) echo gz ;; *) echo other ;; esac
echo oops >&2; exit 5`;
const DASH = `
i=0; s=0; while [ $i -lt 300 ]; do s=$((s + i)); i=$((i + 1)); done; echo "$s"
p=/usr/lib/x.tar.gz; echo "\${p##*/} \${p%.*} \${#p}"; set -- a b c; shift; echo "$# $1 $*"
printf '%s-%03d-%x\\n' x 7 255; case $p in *.gz) echo gz ;; esac; trap 'echo bye' EXIT; nosuchvar=; echo "\${nosuchvar:-empty}"; exit 6`;

const OPENSSL = '/usr/bin/openssl';
const KEY = '000102030405060708090a0b0c0d0e0f';
const KEY_AND_IV = ['-K', KEY, '-iv', KEY];
const GMAC = ['-cipher', 'AES-128-GCM', '-macopt', `hexkey:${KEY}`, '-macopt', `hexiv:${KEY}`];
/** Whole cipher blocks. */
const BLOCKS = NUMBERS.slice(0, 4096);
const PIPELINES = `
ls | sort | head -3; (cd /; pwd); x=$(date +%Y); echo \${#x} done
seq 200 | grep 7 | sed 's/7/x/' | sort -r | uniq | tr x y | tail -4 | cat | cat | wc -l
yes | head -2; false | true; echo "$? \${PIPESTATUS[0]}"; set -o pipefail; false | true; echo $?
a=$(for i in 1 2 3; do echo $i; done | paste -sd+); echo "$a = $((a))"
diff <(seq 5) <(seq 6); while read -r w; do echo "[$w]"; done < <(printf 'p\\nq\\n')
cat << END | tr a-z A-Z
here $((1 + 1))
END
`;
const BASH_JOBS = `
f() { echo "in f $1"; return 3; }; f sub & wait $!; echo "waited $?"
trap 'echo trapped' TERM; kill -TERM $BASHPID; (trap 'echo sub' EXIT; exit 4); echo $?
sleep 20 & kill $!; wait $!; echo "killed $?"; env -i A=b /usr/bin/env; exec echo replaced`;
const DASH_PROCESSES = `
printf 'b\\na\\n' | sort | (read -r x; echo "first $x"); (exit 3); echo $?; v=$(echo sub; exit 5); echo "$v $?"
{ echo one; echo two; } | while read -r l; do echo "<$l>"; done; /bin/sh -c 'echo "$0 $1"' name arg; nosuchprogram; echo $?`;
const PYTHON_PROCESSES = `
import os, subprocess, sys
r = subprocess.run(["sort", "-r"], input="b\\na\\nc\\n", capture_output=True, text=True)
print(r.returncode, r.stdout.split())
print(subprocess.check_output("echo $A; exit 0", shell=True, env={"A": "from env"}).decode().strip())
try:
    subprocess.run(["/no/such/program"])
except FileNotFoundError as e:
    print("missing", e.errno)
print(subprocess.run("kill -9 $$", shell=True).returncode, subprocess.Popen(["false"]).wait())
sys.stdout.flush()
reader, writer = os.pipe()
pid = os.fork()
if pid == 0:
    os.write(writer, b"from the child")
    os._exit(7)
print(os.read(reader, 100).decode(), os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
try:
    subprocess.run(["sleep", "30"], timeout=0.2)
except subprocess.TimeoutExpired:
    print("timed out")`;
const PERL_PROCESSES = `
$| = 1; my $pid = fork; if (!$pid) { print "child\\n"; exit 3 } waitpid $pid, 0; print $? >> 8, "\\n";
open my $p, "-|", "seq 3" or die; print map { "<$_>" } map { s/\\n//r } <$p>; close $p; print " $?\\n";
print \`echo quoted\`; open $p, "|-", "tr a-z A-Z"; print $p "upper\\n"; close $p; system "exit 2"; print $? >> 8, "\\n"`;

const MAKE = `
d=$(mktemp -d); cd "$d"; printf 'all: a b c\\n\\t@cat a b c\\na b c:\\n\\t@echo made $@ > $@\\n' > Makefile
make -s -j2; make -s; touch -d '2000-01-01' a; make -s -n; rm -r "$d"`;

const ROWS: readonly Row[] = [
  { name: 'sh: /proc/PID/exe has no symbolic link in it', file: '/bin/sh', args: ['-c', 'readlink /proc/$$/exe'] },
  { name: 'ls -la', file: '/bin/ls', args: ['-la', '{tmp}'] },
  { name: 'ls -lR', file: '/bin/ls', args: ['-lR', '--time-style=full-iso', '{tmp}'] },
  { name: 'ls of a missing file', file: '/bin/ls', args: ['{tmp}/missing'] },
  {
    name: 'cat of files and stdin',
    file: '/bin/cat',
    args: ['-n', '{tmp}/words', '-', '{tmp}/missing'],
    stdin: 'in\n',
  },
  { name: 'sort', file: '/usr/bin/sort', args: ['{tmp}/words'] },
  { name: 'sort -k -n', file: '/usr/bin/sort', args: ['-k3,3n', '-k1,1nr'], stdin: NUMBERS },
  { name: 'sha256sum', file: '/usr/bin/sha256sum', args: ['{tmp}/numbers', '{tmp}/sub/bytes'] },
  // With SHA, AES and PCLMULQDQ instructions, where the CPU model has them.
  { name: 'openssl dgst -sha1', file: OPENSSL, args: ['dgst', '-sha1', '{tmp}/sub/bytes'] },
  { name: 'openssl dgst -sha256', file: OPENSSL, args: ['dgst', '-sha256', '{tmp}/sub/bytes'] },
  { name: 'openssl enc', file: OPENSSL, args: ['enc', '-a', '-aes-256-cbc', ...KEY_AND_IV, '-in', '{tmp}/sub/bytes'] },
  {
    name: 'openssl enc -d',
    file: OPENSSL,
    args: ['enc', '-d', '-nopad', '-aes-128-cbc', ...KEY_AND_IV],
    stdin: BLOCKS,
  },
  {
    name: 'openssl enc, counter mode',
    file: OPENSSL,
    args: ['enc', '-a', '-aes-128-ctr', ...KEY_AND_IV],
    stdin: NUMBERS,
  },
  { name: 'openssl mac', file: OPENSSL, args: ['mac', ...GMAC, '-in', '{tmp}/sub/bytes', 'GMAC'] },
  { name: 'grep -r', file: '/bin/grep', args: ['-rn', 'word7', '{tmp}'] },
  { name: 'grep -E', file: '/bin/grep', args: ['-Eoi', '[a-c][an]+|pp?l'], stdin: WORDS },
  { name: 'grep without a match', file: '/bin/grep', args: ['nothing', '{tmp}/words'] },
  { name: 'mawk', file: '/usr/bin/mawk', args: [AWK, '{tmp}/numbers'] },
  { name: 'gawk', file: '/usr/bin/gawk', args: [AWK, '{tmp}/numbers'] },
  { name: 'sed', file: '/bin/sed', args: ['-nE', 's/^(\\w)(.*)$/\\2\\U\\1/p;$='], stdin: WORDS },
  { name: 'find', file: '/usr/bin/find', args: ['{tmp}', '-type', 'f', '-printf', '%P %s %m %TY\\n'] },
  { name: 'bc', file: '/usr/bin/bc', args: ['-lq'], stdin: 'scale=40; 4*a(1); 2^300; s(1)/3; sqrt(2)\nquit\n' },
  { name: 'dc', file: '/usr/bin/dc', args: [], stdin: '50k 2vp 3 200^p [la1+dsa*pla10>y]sy 0sa1 lyx' },
  { name: 'lua5.4', file: '/usr/bin/lua5.4', args: ['-e', LUA] },
  { name: 'sqlite3', file: '/usr/bin/sqlite3', args: [':memory:'], stdin: SQL },
  { name: 'python3', file: '/usr/bin/python3', args: ['-c', PYTHON] },
  { name: 'perl', file: '/usr/bin/perl', args: ['-e', PERL] },
  { name: 'bash builtins', file: '/bin/bash', args: ['--norc', '-c', BASH] },
  { name: 'bash pipelines', file: '/bin/bash', args: ['--norc', '-c', PIPELINES] },
  { name: 'bash jobs', file: '/bin/bash', args: ['--norc', '-c', BASH_JOBS] },
  { name: 'dash processes', file: '/bin/dash', args: ['-c', DASH_PROCESSES] },
  { name: 'python3 processes', file: '/usr/bin/python3', args: ['-c', PYTHON_PROCESSES] },
  { name: 'perl processes', file: '/usr/bin/perl', args: ['-e', PERL_PROCESSES] },
  { name: 'make', file: '/bin/sh', args: ['-c', MAKE] },
  {
    name: 'find -exec, xargs',
    file: '/bin/sh',
    args: [
      '-c',
      'cd {tmp}; find . -type f -exec wc -c {} + | sort; ls | xargs -n 2 echo; ls | xargs -P 3 -I F test -e F',
    ],
  },
  { name: 'dash builtins', file: '/bin/dash', args: ['-c', DASH] },
];

let root = '';
/** Within `root`, so that `ls -la` shows a parent that nobody else writes to. */
let tmp = '';

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'lift64-debian-'));
  tmp = join(root, 'fixture');
  mkdirSync(tmp);
  const put = (name: string, data: string | Uint8Array, mode: number): void => {
    writeFileSync(join(tmp, name), data);
    chmodSync(join(tmp, name), mode);
  };
  mkdirSync(join(tmp, 'sub'));
  put('words', WORDS, 0o644);
  put('numbers', `${NUMBERS}\n`, 0o600);
  put('empty', '', 0o755);
  put('.hidden', 'word7\n', 0o640);
  put(
    'sub/bytes',
    Uint8Array.from({ length: 100_003 }, (_, i) => (i * i) >> 3),
    0o444,
  );
  symlinkSync('words', join(tmp, 'link'));
  for (const name of ['words', 'numbers', 'empty', '.hidden', 'sub/bytes', 'sub', '.'])
    utimesSync(join(tmp, name), FIXTURE_TIME, FIXTURE_TIME);
});

afterAll(() => {
  rmSync(root, { recursive: true, force: true });
});

function run(
  row: Row,
  lifted: boolean,
): { status: number | null; signal: string | null; stdout: string; stderr: string } {
  const args = row.args.map((a) => a.replaceAll('{tmp}', tmp));
  const [command, argv] = lifted ? [process.execPath, [LIFT64, row.file, ...args]] : [row.file, args];
  const r = spawnSync(command, argv, {
    input: row.stdin ?? '',
    env: ENV,
    cwd: tmp,
    timeout: TIME_LIMIT_MS,
    killSignal: 'SIGKILL',
    maxBuffer: 16 << 20,
  });
  if (r.error !== undefined) throw new Error(`${row.name}: ${r.error.message}`);
  return {
    status: r.status,
    signal: r.signal,
    stdout: r.stdout.toString('latin1'),
    stderr: r.stderr.toString('latin1'),
  };
}

describe("Debian's programs", () => {
  for (const row of ROWS) {
    const skip = !hostIsOracle ? 'no x86-64 Linux host' : existsSync(row.file) ? '' : `${row.file} is not installed`;
    (skip === '' ? test : test.skip)(skip === '' ? row.name : `${row.name} (skipped: ${skip})`, () => {
      expect(run(row, true)).toEqual(run(row, false));
    });
  }
});
