/**
 * Servers and clients of the network: Debian's own under lift64, against native ones and each other. What a client prints is what it prints with a native server. Ports are the host's, and free;
 * every program that a test starts is killed at its end.
 */
import { afterEach, describe, expect, test } from '@jest/globals';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../support/free-port.js';
import { LIFT64, hostIsOracle } from './driver.js';

type Command = readonly [file: string, ...args: string[]];

/** How a program is started. */
type Where = 'native' | 'lift64';

const CURL = '/usr/bin/curl';
const PYTHON = '/usr/bin/python3';
const REDIS_SERVER = '/usr/bin/redis-server';
const REDIS_CLI = '/usr/bin/redis-cli';
const NGINX = '/usr/sbin/nginx';

const ENV = { PATH: '/usr/bin:/bin', LANG: 'C.UTF-8', TZ: 'UTC', PYTHONUNBUFFERED: '1' };
const TEST_LIMIT_MS = 120_000;
const TRY_AGAIN_MS = 50;
/** Some 300 KB: more than the rings and the buffers of sockets hold at once. */
const BIG = Array.from({ length: 40_000 }, (_, i) => String(i * 7919)).join('\n');

const started: ChildProcess[] = [];
const directories: string[] = [];

afterEach(async () => {
  await Promise.all(
    started.splice(0).map(async (child) => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const closed = once(child, 'close');
      send(child, 'SIGKILL');
      await closed;
    }),
  );
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true, force: true });
});

function directory(): string {
  const made = mkdtempSync(join(tmpdir(), 'lift64-net-'));
  directories.push(made);
  return made;
}

function start(where: Where, command: Command, cwd: string): ChildProcess {
  const [file, ...args] = where === 'native' ? command : ([process.execPath, LIFT64, ...command] as const);
  const child = spawn(file, args, { cwd, env: ENV, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  started.push(child);
  return child;
}

/** Signals a program and the processes that it has started. */
function send(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid !== undefined) process.kill(-child.pid, signal);
}

interface Output {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** What `child` prints, and its status, once it has ended. */
async function output(child: ChildProcess): Promise<Output> {
  let [stdout, stderr] = ['', ''];
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  await once(child, 'close');
  return { status: child.exitCode, stdout, stderr };
}

const run = (where: Where, command: Command, cwd: string): Promise<Output> => output(start(where, command, cwd));

/** Whether a server takes connections: one that is ended is ended by it too. lift64 has a port from bind on, and resets connections until the guest listens: that is no answer. */
const answers = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.end());
    socket.resume();
    socket.on('error', () => undefined);
    socket.once('close', (failed) => {
      resolve(!failed);
    });
  });

/** Starts a server, and waits until it takes connections. */
async function serve(where: Where, command: Command, cwd: string, port: number): Promise<ChildProcess> {
  const child = start(where, command, cwd);
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', (text: string) => (said += text));
  while (!(await answers(port))) {
    if (child.exitCode !== null || child.signalCode !== null) throw new Error(`the server has ended: ${said}`);
    await new Promise((resolve) => setTimeout(resolve, TRY_AGAIN_MS));
  }
  return child;
}

async function stop(child: ChildProcess, signal: NodeJS.Signals): Promise<number | NodeJS.Signals | null> {
  const closed = once(child, 'close');
  send(child, signal);
  await closed;
  return child.exitCode ?? child.signalCode;
}

/** A directory with what an HTTP server gives out. */
function site(): string {
  const root = directory();
  writeFileSync(join(root, 'index.html'), '<p>here</p>\n');
  writeFileSync(join(root, 'big.txt'), BIG);
  return root;
}

/** One curl for all: a page, a big one, one that is not there; each with its status and size. */
const fetchAll = (port: number): Command => {
  const base = `http://127.0.0.1:${String(port)}`;
  return [CURL, '-s', '-w', '[%{http_code} %{size_download}]\n', `${base}/`, `${base}/big.txt`, `${base}/none`];
};

function onDebian(name: string, files: readonly string[], body: () => Promise<void>): void {
  const missing = files.filter((file) => !existsSync(file));
  if (!hostIsOracle) test.skip(`${name} (skipped: the oracle is an x86-64 Linux host)`, () => undefined);
  else if (missing.length > 0) test.skip(`${name} (skipped: no ${missing.join(', ')} here)`, () => undefined);
  else test(name, body, TEST_LIMIT_MS);
}

/** Serves and fetches in all ways that have lift64 in them; all must be as native. */
async function sameHttp(server: (port: number, root: string) => Command): Promise<void> {
  const results: Partial<Record<Where, Output>>[] = [];
  const root = site();
  for (const where of ['native', 'lift64'] as const) {
    const port = await freePort();
    const child = await serve(where, server(port, root), root, port);
    results.push({
      native: await run('native', fetchAll(port), root),
      lift64: await run('lift64', fetchAll(port), root),
    });
    await stop(child, 'SIGKILL');
  }
  const expected = results[0]?.native;
  expect(expected?.stdout).toContain(`[200 ${String(BIG.length)}]`);
  expect(results).toEqual([
    { native: expected, lift64: expected },
    { native: expected, lift64: expected },
  ]);
}

describe('HTTP', () => {
  onDebian('python3 http.server, curl', [PYTHON, CURL], () =>
    sameHttp((port, root) => [PYTHON, '-m', 'http.server', '--bind', '127.0.0.1', '--directory', root, String(port)]),
  );

  onDebian('nginx, curl', [NGINX, CURL], () =>
    sameHttp((port, root) => {
      const prefix = directory();
      mkdirSync(join(prefix, 'logs'));
      const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
        (name) => `${name}_temp_path ${join(prefix, name)};`,
      );
      const config = join(prefix, 'nginx.conf');
      writeFileSync(
        config,
        `daemon off; worker_processes 1; user root; pid ${prefix}/nginx.pid; error_log ${prefix}/error.log;
events { worker_connections 64; }
http { access_log off; ${temporary.join(' ')} server { listen 127.0.0.1:${String(port)}; root ${root}; } }\n`,
      );
      return [NGINX, '-p', prefix, '-c', config, '-e', join(prefix, 'error.log')];
    }),
  );
});

const ASYNCIO = `
import asyncio
async def serve(reader, writer):
    while line := await reader.readline():
        writer.write(line.upper())
        await writer.drain()
    writer.close()
async def client(port, i):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    replies = []
    for k in range(3):
        writer.write(f"client {i} line {k}\\n".encode())
        replies.append((await reader.readline()).decode().strip())
    writer.close()
    await writer.wait_closed()
    return replies
async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    for replies in await asyncio.gather(*(client(port, i) for i in range(50))):
        print(replies)
    server.close()
    await server.wait_closed()
asyncio.run(main())
`;
const THREADING = `
import socket, socketserver, threading
class Handler(socketserver.StreamRequestHandler):
    def handle(self):
        for line in self.rfile:
            self.wfile.write(line[::-1].strip() + b"\\n")
class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
with Server(("127.0.0.1", 0), Handler) as server:
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    replies = {}
    def client(i):
        with socket.create_connection(server.server_address) as s, s.makefile("rwb") as f:
            f.write(f"client {i}\\n".encode())
            f.flush()
            replies[i] = f.readline()
    clients = [threading.Thread(target=client, args=(i,)) for i in range(8)]
    for each in clients: each.start()
    for each in clients: each.join()
    server.shutdown()
    thread.join()
print(sorted(replies.items()))
`;
const SUBPROCESS = `
import socket, subprocess, sys
server = socket.create_server(("127.0.0.1", 0))
child = subprocess.Popen([sys.executable, "-c", """
import socket, sys
s = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
s.sendall(b"from the child")
s.shutdown(socket.SHUT_WR)
print("child got", s.recv(100, socket.MSG_WAITALL))
""", str(server.getsockname()[1])], stdout=subprocess.PIPE)
connection, peer = server.accept()
print(connection.recv(100, socket.MSG_WAITALL), peer[0])
# A process that has the connection as its standard output.
subprocess.run(["/bin/echo", "from echo"], stdout=connection, check=True)
connection.close()
print(child.communicate()[0], child.returncode)
`;

describe('python3', () => {
  for (const [name, program] of [
    ['asyncio, 50 clients', ASYNCIO],
    ['socketserver.ThreadingTCPServer', THREADING],
    ['subprocess and sockets', SUBPROCESS],
  ] as const) {
    onDebian(name, [PYTHON], async () => {
      const [native, lifted] = await Promise.all(
        (['native', 'lift64'] as const).map((where) => run(where, [PYTHON, '-c', program], tmpdir())),
      );
      expect(native?.status).toBe(0);
      expect(lifted).toEqual(native);
    });
  }
});

const REDIS_SCRIPT = `for i = 1, 500 do redis.call("rpush", "list", i * i) end; return redis.call("lrange", "list", -3, -1)`;

describe('redis', () => {
  onDebian('redis-server, redis-cli', [REDIS_SERVER, REDIS_CLI], async () => {
    const commands: readonly (readonly string[])[] = [
      ['flushall'],
      ['set', 'key', BIG.slice(0, 100_000)],
      ['strlen', 'key'],
      ['eval', REDIS_SCRIPT, '0'],
      ['zadd', 'scores', '2', 'b', '1', 'a'],
      ['zrange', 'scores', '0', '-1', 'withscores'],
      ['incr', 'list'],
      ['save'],
    ];
    const results: string[][] = [];
    const lifted: Output[] = [];
    for (const where of ['native', 'lift64'] as const) {
      const port = await freePort();
      const own = directory();
      const place = ['--port', String(port), '--bind', '127.0.0.1', '--dir', own, '--save', ''];
      const server = await serve(where, [REDIS_SERVER, ...place], own, port);
      const cli: Command = [REDIS_CLI, '-p', String(port)];
      const replies: string[] = [];
      for (const command of commands) replies.push((await run('native', [...cli, ...command], own)).stdout);
      results.push(replies);
      lifted.push(await run('lift64', [...cli, 'zrange', 'scores', '0', '-1', 'withscores'], own));
      expect(existsSync(join(own, 'dump.rdb'))).toBe(true);
      expect(await stop(server, 'SIGTERM')).toBe(0);
    }
    expect(results[1]).toEqual(results[0]);
    expect(results[0]).toContain('a\n1\nb\n2\n');
    const scores = { status: 0, stdout: 'a\n1\nb\n2\n', stderr: '' };
    expect(lifted).toEqual([scores, scores]);
  });
});
