/** Rows: interpreters, compilers with a runtime of their own, just-in-time compilers. Data: the rows. */
import type { MatrixRow } from './matrix-row.js';

const python = (name: string, program: string, more: Partial<MatrixRow> = {}): MatrixRow => ({
  name: `python3: ${name}`,
  packages: ['python3'],
  version: 'python3 --version',
  files: { 'p.py': program },
  script: 'python3 p.py; echo "status $?"',
  ...more,
});

const PYTHON_ROWS: readonly MatrixRow[] = [
  python(
    'threads',
    `import threading, queue, time, concurrent.futures as cf
q = queue.Queue(); out = []; lock = threading.Lock()
def work():
    while (n := q.get()) is not None:
        with lock: out.append(n * n)
ts = [threading.Thread(target=work) for _ in range(8)]
[t.start() for t in ts]; [q.put(i) for i in range(400)]; [q.put(None) for _ in ts]; [t.join() for t in ts]
print(len(out), sum(out))
with cf.ThreadPoolExecutor(5) as ex: print(list(ex.map(lambda x: x + 1, range(10))))
e = threading.Event(); threading.Timer(0.05, e.set).start(); print(e.wait(20)); b = threading.Barrier(3)
ts = [threading.Thread(target=b.wait) for _ in range(3)]; [t.start() for t in ts]; [t.join() for t in ts]; c = threading.Condition()
with c: print(c.wait(0.01)); print(threading.active_count())
`,
  ),
  python(
    'subprocess',
    `import subprocess as s, os, signal, sys
print(s.run(['echo', 'hi'], capture_output=True, text=True).stdout, s.check_output('seq 5 | tac', shell=True))
p = s.Popen(['cat'], stdin=s.PIPE, stdout=s.PIPE); print(p.communicate(b'x' * 200000)[0] == b'x' * 200000, p.returncode)
p = s.Popen(['sleep', '60']); p.send_signal(signal.SIGTERM); print(p.wait())
try: s.run(['sleep', '60'], timeout=0.2)
except s.TimeoutExpired as e: print('timeout', e.cmd)
try: s.run(['/usr/lib/nonexistent'])
except FileNotFoundError as e: print(e.errno)
print(s.run([sys.executable, '-c', 'import sys; sys.exit(5)']).returncode, s.run('exit 3', shell=True).returncode, s.run(['false']).returncode)
r, w = os.pipe(); pid = os.fork()
if pid == 0: os.close(r); os.write(w, b'from child'); os._exit(7)
os.close(w); print(os.read(r, 100), os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
print(s.run(['env'], env={'A': 'b'}, capture_output=True).stdout, s.run(['pwd'], cwd='/usr', capture_output=True).stdout, os.system('kill -9 $$'))
ps = [s.Popen(['sh', '-c', f'exit {i}']) for i in range(10)]; print([p.wait() for p in ps]); print(s.getstatusoutput('ls /nonexistent')[0])
`,
  ),
  python(
    'multiprocessing',
    `import multiprocessing as mp, os
def f(x): return x * x
def g(q, v, l):
    with l: v.value += 1
    q.put(os.getpid() != os.getppid())
if __name__ == '__main__':
    with mp.Pool(3) as p: print(p.map(f, range(50)), p.apply(f, (9,)))
    q, v, l = mp.Queue(), mp.Value('i', 0), mp.Lock(); ps = [mp.Process(target=g, args=(q, v, l)) for _ in range(4)]
    [p.start() for p in ps]; print([q.get() for _ in ps]); [p.join() for p in ps]; print(v.value, [p.exitcode for p in ps])
    a, b = mp.Pipe(); p = mp.Process(target=lambda c: c.send([1, 'two', {3: 4.0}]), args=(b,)); p.start(); print(a.recv()); p.join()
    ctx = mp.get_context('spawn'); p = ctx.Process(target=f, args=(2,)); p.start(); p.join(); print(p.exitcode)
    from multiprocessing import shared_memory as sm
    s = sm.SharedMemory(create=True, size=4096); s.buf[:5] = b'hello'; t = sm.SharedMemory(s.name); print(bytes(t.buf[:5])); t.close(); s.close(); s.unlink()
    with mp.Manager() as m: d = m.dict(); p = mp.Process(target=d.update, args=({'k': 1},)); p.start(); p.join(); print(dict(d))
`,
    { limit: 120 },
  ),
  python(
    'asyncio',
    `import asyncio, os, sys
async def handle(r, w): w.write((await r.readline()).upper()); await w.drain(); w.close()
async def ask(port, i):
    r, w = await asyncio.open_connection('127.0.0.1', port); w.write(b'line %d\\n' % i); x = await r.read(); w.close(); return x
async def main():
    print(await asyncio.gather(*[asyncio.sleep(0.01 * (5 - i), i) for i in range(5)]))
    p = await asyncio.create_subprocess_exec('cat', stdin=-1, stdout=-1); print(await p.communicate(b'through cat'))
    try: await asyncio.wait_for(asyncio.sleep(60), 0.05)
    except asyncio.TimeoutError: print('timeout')
    print(await asyncio.to_thread(sum, range(1000))); loop = asyncio.get_running_loop(); e = asyncio.Event(); loop.add_signal_handler(10, e.set); os.kill(os.getpid(), 10); await e.wait(); print('signal')
    s = await asyncio.start_server(handle, '127.0.0.1', 0); port = s.sockets[0].getsockname()[1]; print(sorted(await asyncio.gather(*[ask(port, i) for i in range(10)])))
    s.close(); await s.wait_closed()
asyncio.run(main())
`,
  ),
  python('http.server and curl', '', {
    packages: ['python3', 'curl'],
    script: `mkdir w; for i in 1 2 3; do seq $((i * 1000)) > w/f$i; done; python3 -m http.server $PORT --bind 127.0.0.1 -d w 2> /dev/null & p=$!
for i in $(seq 200); do curl -s -o /dev/null http://127.0.0.1:$PORT/f1 && break; sleep 0.1; done
for i in 1 2 3; do curl -s http://127.0.0.1:$PORT/f$i | md5sum; done; curl -s http://127.0.0.1:$PORT/ | grep -c href; curl -s -o /dev/null -w '%{http_code}\\n' http://127.0.0.1:$PORT/nothere; curl -sI http://127.0.0.1:$PORT/f2 | grep -i length
curl -s http://127.0.0.1:$PORT/f3 http://127.0.0.1:$PORT/f2 | wc; kill $p; wait $p; echo $?; curl -s http://127.0.0.1:$PORT2/; echo $?
`,
  }),
  python('venv', '', {
    packages: ['python3-venv'],
    limit: 240,
    script: `python3 -m venv --without-pip v; echo $?; v/bin/python -c 'import sys; print(sys.prefix != sys.base_prefix, sys.executable)'; . v/bin/activate; which python; python -c 'print(1)'; deactivate; ls v; cat v/pyvenv.cfg | cut -d= -f1`,
  }),
  python(
    'sqlite3',
    `import sqlite3, threading
c = sqlite3.connect('a.db'); c.execute('create table t(a, b)'); c.executemany('insert into t values(?, ?)', [(i, str(i)) for i in range(2000)]); c.commit()
print(c.execute('select sum(a), max(b) from t').fetchone()); c.create_function('twice', 1, lambda x: x * 2); print(c.execute('select twice(21)').fetchone())
def w(n):
    d = sqlite3.connect('a.db', timeout=60); d.execute('insert into t values(?, ?)', (n, 'w')); d.commit(); d.close()
ts = [threading.Thread(target=w, args=(i,)) for i in range(4)]; [t.start() for t in ts]; [t.join() for t in ts]; print(c.execute("select count(*) from t where b = 'w'").fetchone())
`,
  ),
  python(
    'files and signals',
    `import os, signal, mmap, tempfile, select, fcntl, time, json, shutil, glob, resource
def h(s, f): print('got', s)
signal.signal(signal.SIGALRM, h); signal.setitimer(signal.ITIMER_REAL, 0.05); signal.pause(); signal.signal(signal.SIGUSR1, h); os.kill(os.getpid(), signal.SIGUSR1)
with open('f', 'w+b') as f:
    f.write(b'0' * 10000); f.flush(); m = mmap.mmap(f.fileno(), 0); m[100:105] = b'hello'; m.flush(); f.seek(100); print(f.read(5)); m.close()
    fcntl.flock(f, fcntl.LOCK_EX); print(fcntl.fcntl(f, fcntl.F_GETFL) & 3)
r, w = os.pipe(); print(select.select([r], [w], [], 0)[1] == [w]); p = select.poll(); p.register(r, 1); print(p.poll(10)); os.write(w, b'x'); print(len(p.poll(10))); e = select.epoll(); e.register(r, 1); print(len(e.poll(1)))
os.makedirs('d/e/f'); open('d/e/g', 'w').close(); print(sorted(os.walk('d'))); shutil.rmtree('d'); os.symlink('f', 'l'); print(os.readlink('l'), os.stat('l').st_size, os.lstat('l').st_size, sorted(x.name for x in os.scandir('.') if x.is_file()))
with tempfile.NamedTemporaryFile() as t: print(os.path.exists(t.name)); print(os.sched_getaffinity(0) != set(), resource.getrusage(0).ru_maxrss > 0); signal.pthread_sigmask(0, [10]); os.kill(os.getpid(), 10); print(signal.sigtimedwait([10], 1).si_signo, signal.sigtimedwait([12], 0.01))
`,
  ),
  python('interactive', '', {
    terminal: [
      { wait: '>>> ', type: 'import math; x = 6\r' },
      { wait: '>>> ', type: 'print(x * 7, math.pi)\r' },
      { wait: '42 3\\.14159.*>>> ', type: 'for i in range(2): print("row", i)\r\r' },
      { wait: 'row 1.*>>> ', type: '\x1b[A\x1b[A\r' },
      { wait: '42 3\\.14.*>>> ', type: 'input("name? ")\r' },
      { wait: 'name\\? ', type: 'me\r' },
      { wait: "'me'.*>>> ", type: 'while 1: pass\r\r' },
      { wait: '\\.\\.\\. ', type: '\x03' },
      { wait: 'KeyboardInterrupt.*>>> ', type: '\x04' },
    ],
    script: 'python3 -q',
  }),
];

export const LANGUAGE_ROWS: readonly MatrixRow[] = [
  ...PYTHON_ROWS,
  {
    name: 'perl: fork and pipes',
    packages: ['perl'],
    version: 'perl -e \'print "perl $^V"\'',
    files: {
      'p.pl': `use strict; $| = 1; my %kids;
for my $i (1 .. 8) { pipe(my $r, my $w); my $p = fork; if (!$p) { close $r; print $w $i * $i; close $w; exit $i } close $w; $kids{$p} = [$i, <$r>] }
while ((my $p = wait) > 0) { push @{$kids{$p}}, $? >> 8 } print join(' ', map { "@$_" } sort { $a->[0] <=> $b->[0] } values %kids), "\\n";
open(my $c, '-|', 'seq 5 | sort -r') or die; print <$c>; close $c; open($c, '|-', 'tr a-z A-Z') or die; print $c "shout\\n"; close $c; print \`echo back; exit 3\`, $? >> 8, "\\n";
$SIG{ALRM} = sub { die "alarm\\n" }; alarm 1; eval { sleep 60 }; print $@; $SIG{USR1} = sub { print "usr1\\n" }; kill USR1 => $$; local $SIG{CHLD} = sub { print "chld\\n" }; system 'true'; print system('exit 4') >> 8, "\\n";
my $s = join ',', map { $_ ** 3 } grep { $_ & 1 } 1 .. 20; (my $t = $s) =~ s/(\\d+)/<$1>/g; print "$t\\n"; printf "%.3f %s %s\\n", atan2(1, 1) * 4, lc 'ABC', sprintf('%b', 10); use Socket; socketpair(my $x, my $y, AF_UNIX, SOCK_STREAM, 0) or print "no socketpair\\n"; syswrite $x, "pair"; sysread $y, my $buf, 9; print "$buf\\n"; exec 'sh', '-c', 'echo exec; exit 9';
`,
    },
    script: 'perl p.pl; echo $?',
  },
  {
    name: 'lua',
    packages: ['lua5.4'],
    version: 'lua5.4 -v',
    files: {
      'p.lua': `local t = {} for i = 1, 20000 do t[i] = (i * 7919) % 10007 end table.sort(t) print(t[1], t[10000], #t)
print(string.format('%5.2f %q', math.pi, 'a\\n'), ('x'):rep(3, ','), 2^53 | 0, 7 // 2, load('return 1 + 1')()) local f = io.popen('seq 3 | tac') print(f:read('a'), f:close()) print(os.execute('exit 3')) print(pcall(error, 'e')) local co = coroutine.wrap(function(a) for i = 1, 3 do coroutine.yield(a * i) end end) print(co(2), co(), co()) print(os.getenv('HOME') ~= nil, os.date('!%F', 0)) os.exit(5)
`,
    },
    script: 'lua5.4 p.lua; echo $?',
  },
  {
    name: 'luajit',
    packages: ['luajit'],
    version: 'luajit -v',
    files: {
      'p.lua': `local ffi = require 'ffi' ffi.cdef [[ int getpid(void); double sqrt(double); int printf(const char *, ...); ]]
local s = 0 for i = 1, 5000000 do s = s + i % 7 end print(s, ffi.C.sqrt(2), ffi.C.getpid() > 0) local a = ffi.new('double[1000]') for k = 1, 100 do for i = 0, 999 do a[i] = a[i] + i * k end end print(a[999])
local t = {} for i = 1, 200000 do t[#t + 1] = tostring(i) end print(#table.concat(t)) local function fib(n) return n < 2 and n or fib(n - 1) + fib(n - 2) end print(fib(27)) print(require('jit').status()) for w in ('a b c'):gmatch('%w') do io.write(w, ';') end print(bit.bxor(5, 3), (pcall(error))) local cb = ffi.cast('int (*)(int)', function(x) return x * 2 end) print(cb(21))
`,
    },
    script: 'luajit p.lua; echo $?; luajit -joff -e "print(1)"',
  },
  {
    name: 'node: workers',
    packages: ['nodejs'],
    version: 'node --version',
    limit: 240,
    files: {
      'w.js': `const { Worker, isMainThread, parentPort, workerData } = require('worker_threads');
if (isMainThread) { Promise.all([1, 2, 3].map((n) => new Promise((ok) => new Worker(__filename, { workerData: n }).on('message', ok)))).then((r) => console.log(r)); }
else { let s = 0; for (let i = 0; i < 3e5; i++) s += (i * workerData) % 7; parentPort.postMessage(s); }
`,
      'c.js': `const cp = require('child_process'), fs = require('fs'), crypto = require('crypto'), zlib = require('zlib');
console.log(cp.execSync('seq 3 | tac').toString(), cp.spawnSync('sh', ['-c', 'exit 4']).status, crypto.createHash('sha256').update('x').digest('hex'), zlib.gunzipSync(zlib.gzipSync('text')).toString());
fs.writeFileSync('made', 'content'); process.on('SIGUSR2', () => { console.log('usr2'); process.exit(6); });
fs.promises.readFile('made', 'utf8').then((t) => { console.log(t); setTimeout(() => { console.log('timer'); process.kill(process.pid, 'SIGUSR2'); setTimeout(() => {}, 60000); }, 20); });
console.log([...'abc'].map((c) => c.charCodeAt(0)), JSON.stringify({ a: [1, { b: null }] }), 2n ** 100n, new Intl.NumberFormat('en').format(1234567.8), /(?<y>\\d{4})/.exec('in 2024').groups.y);
`,
    },
    script: 'node -e "console.log(1 + 1, process.argv.length)"; echo $?; node w.js; echo $?; node c.js; echo $?',
  },
  {
    name: 'node: http and WebAssembly',
    packages: ['nodejs'],
    version: 'node --version',
    limit: 120,
    files: {
      'h.js': `const http = require('http'); const b = new Uint8Array([0,97,115,109,1,0,0,0,1,7,1,96,2,127,127,1,127,3,2,1,0,7,7,1,3,97,100,100,0,0,10,9,1,7,0,32,0,32,1,106,11]);
WebAssembly.instantiate(b).then((m) => console.log(m.instance.exports.add(40, 2))); const s = http.createServer((q, r) => r.end('path ' + q.url)).listen(0, '127.0.0.1', () => http.get({ port: s.address().port, path: '/x' }, (r) => r.on('data', (d) => { console.log(String(d)); s.close(); })));
`,
    },
    script: 'node h.js; echo $?',
  },
  {
    name: 'java: hello',
    packages: [],
    needs: ['/usr/bin/java', '/usr/bin/javac'],
    version: 'java -version 2>&1',
    limit: 300,
    files: {
      'H.java': `import java.util.*; import java.util.stream.*;
public class H { public static void main(String[] a) throws Exception { System.out.println("Hello"); long s = 0; for (int i = 0; i < 3000000; i++) s += i % 7; System.out.println(s);
Thread[] t = new Thread[4]; long[] r = new long[4]; for (int i = 0; i < 4; i++) { final int k = i; t[i] = new Thread(() -> { for (int j = 0; j < 10000; j++) r[k] += j; }); t[i].start(); } for (Thread x : t) x.join(); System.out.println(Arrays.toString(r));
System.out.println(IntStream.range(0, 100).boxed().collect(Collectors.groupingBy(x -> x % 3, Collectors.counting()))); try { Object o = null; o.hashCode(); } catch (NullPointerException e) { System.out.println("NPE"); } System.gc(); System.exit(3); } }
`,
    },
    script:
      'javac H.java; echo $?; java -cp . H; echo $?; java -Xint -cp . H; java -XX:+UseSerialGC -Xmx64m -cp . H | tail -1',
  },
  {
    name: 'go: goroutines',
    packages: ['golang-go'],
    version: 'go version',
    limit: 300,
    files: {
      'm.go': `package main
import ("fmt"; "os"; "os/exec"; "os/signal"; "runtime"; "sync"; "syscall"; "time")
func main() {
  var wg sync.WaitGroup; var mu sync.Mutex; total := 0; c := make(chan int, 10)
  for i := 0; i < 50; i++ { wg.Add(1); go func(n int) { defer wg.Done(); s := 0; for j := 0; j < 1000; j++ { s += j * n }; mu.Lock(); total += s; mu.Unlock() }(i) }
  wg.Wait(); fmt.Println(total); go func() { for i := 0; i < 1000; i++ { c <- i }; close(c) }(); sum := 0; for v := range c { sum += v }; fmt.Println(sum)
  var garbage [][]byte; for i := 0; i < 300; i++ { garbage = append(garbage, make([]byte, 10000)); if i%50 == 0 { runtime.GC(); garbage = nil } }
  out, err := exec.Command("echo", "child").Output(); fmt.Print(string(out), err, "\\n"); sig := make(chan os.Signal, 1); signal.Notify(sig, syscall.SIGUSR1); syscall.Kill(os.Getpid(), syscall.SIGUSR1); fmt.Println(<-sig)
  done := make(chan bool); go func() { n := 0; for { n++ ; if n < 0 { done <- true } } }(); select { case <-done: case <-time.After(50 * time.Millisecond): fmt.Println("preempted") }
  defer func() { fmt.Println("recovered", recover()); os.Exit(4) }(); var p *int; fmt.Println(*p)
}
`,
    },
    script: `test -x m || GOCACHE=$PWD/cache go build -o m m.go; echo $?; ./m; echo $?`,
  },
  {
    name: 'rust: threads',
    packages: [],
    needs: ['/root/.cargo/bin/rustc'],
    version: '/root/.cargo/bin/rustc --version',
    limit: 300,
    files: {
      'm.rs': `use std::{collections::HashMap, process::Command, sync::{mpsc, Arc, Mutex}, thread};
fn main() {
    let total = Arc::new(Mutex::new(0u64)); let ts: Vec<_> = (0..8).map(|i| { let t = total.clone(); thread::spawn(move || { for j in 0..1000 { *t.lock().unwrap() += i * j; } }) }).collect();
    for t in ts { t.join().unwrap(); } println!("{}", total.lock().unwrap()); let (tx, rx) = mpsc::channel(); thread::spawn(move || for i in 0..100 { tx.send(i).unwrap(); }); println!("{}", rx.iter().sum::<i32>());
    let m: HashMap<_, _> = (0..100).map(|i| (i, i * i)).collect(); println!("{} {}", m.len(), m[&9]); println!("{:?}", Command::new("echo").arg("child").output().unwrap()); println!("{:?}", thread::spawn(|| { if true { panic!("on purpose"); } }).join().is_err());
    std::process::exit(5);
}
`,
    },
    script: `export HOME=/root; /root/.cargo/bin/rustc -O -o m m.rs; echo $?; ./m; echo $?`,
  },
  {
    name: 'ruby',
    packages: ['ruby'],
    version: 'ruby --version',
    limit: 120,
    files: {
      'p.rb': `puts (1..20).select(&:odd?).map { |x| x ** 3 }.inspect, \`echo back\`, $?.exitstatus
pid = fork { exit 7 }; Process.wait pid; puts $?.exitstatus; r, w = IO.pipe; fork { r.close; w.puts 'from child'; }; w.close; puts r.read; Process.waitall
puts 8.times.map { |i| Thread.new { (1..100).sum * i } }.map(&:value).inspect; trap('USR1') { puts 'usr1' }; Process.kill 'USR1', $$; sleep 0.05; h = Hash.new(0); 'the cat the dog'.split.each { |w| h[w] += 1 }; p h
begin; raise ArgumentError, 'x'; rescue => e; puts e.class; end; f = Fiber.new { Fiber.yield 1; 2 }; p f.resume, f.resume; p 2 ** 100, 'äb'.bytes, (system 'exit 3'), IO.popen('tr a-z A-Z', 'r+') { |i| i.write 'shout'; i.close_write; i.read }; exit 5
`,
    },
    script: 'ruby p.rb; echo $?',
  },
  {
    name: 'php',
    packages: ['php-cli'],
    version: 'php --version',
    limit: 120,
    files: {
      'p.php': `<?php $a = range(1, 1000); usort($a, fn($x, $y) => ($x * 7919 % 1009) <=> ($y * 7919 % 1009)); echo $a[0], ' ', array_sum($a), "\\n", json_encode(['a' => [1, 2.5, null]]), shell_exec('seq 3 | tac'), preg_replace('/(\\d+)/', '<$1>', 'a1b22'), "\\n", hash('sha256', 'x'), "\\n";
$p = proc_open(['cat'], [['pipe', 'r'], ['pipe', 'w']], $pipes); fwrite($pipes[0], 'through'); fclose($pipes[0]); echo stream_get_contents($pipes[1]), proc_close($p), "\\n"; function g() { foreach ([1, 2] as $x) yield $x; } foreach (g() as $x) echo $x; try { intdiv(1, 0); } catch (DivisionByZeroError $e) { echo get_class($e), "\\n"; } exit(4);
`,
    },
    script: `php p.php; echo $?; echo '<?php echo "served ", $_SERVER["REQUEST_URI"];' > i.php; php -S 127.0.0.1:$PORT i.php 2> /dev/null & for i in $(seq 100); do curl -s http://127.0.0.1:$PORT/x && break; sleep 0.1; done; echo; kill %1; wait; echo end`,
  },
  {
    name: 'tcl',
    packages: ['tcl'],
    version: 'echo \'puts "tcl [info patchlevel]"\' | tclsh',
    files: {
      'p.tcl': `set s 0; for {set i 0} {$i < 20000} {incr i} {incr s [expr {$i % 7}]}; puts $s; puts [exec seq 3 | sort -r]; puts [lsort -integer {5 3 9}]; after 20 {set done 1}; vwait done; puts [catch {exec false}]; dict set d a 1; puts [dict get $d a]; puts [expr {2**100}]; set f [open |cat r+]; puts $f line; flush $f; gets $f l; puts $l; exit 3\n`,
    },
    script: 'tclsh p.tcl; echo $?',
  },
  {
    name: 'esbuild: bundle a project',
    packages: [],
    needs: ['node_modules/@esbuild/linux-x64/bin/esbuild'],
    version: 'echo esbuild $(node_modules/@esbuild/linux-x64/bin/esbuild --version)',
    limit: 180,
    project: 'p',
    script: `E=$REPOSITORY/node_modules/@esbuild/linux-x64/bin/esbuild; $E p/src/opt/pipeline.ts --bundle --format=esm --outfile=out.js --log-level=error; echo $?; $E p/src/ir/*.ts --minify --sourcemap --outdir=min --log-level=error; echo $?; cat min/*.js | md5sum; echo 'let x: number = 1; export = x' | $E --loader=ts; echo 'let x = ' | $E 2>&1 | head -3; echo $?`,
    outputs: ['out.js'],
  },
  {
    name: 'biome: format a project',
    packages: [],
    needs: ['node_modules/@biomejs/cli-linux-x64/biome'],
    version: 'node_modules/@biomejs/cli-linux-x64/biome --version',
    limit: 180,
    project: 'p',
    script: `B=$REPOSITORY/node_modules/@biomejs/cli-linux-x64/biome; $B format --write p/src > log 2>&1; echo $?; find p -name '*.ts' | sort | xargs cat | md5sum; $B lint --max-diagnostics=none p/src/ir > log 2>&1; echo $?; $B check p/src/ir/ops.ts > /dev/null 2>&1; echo $?`,
  },
];
