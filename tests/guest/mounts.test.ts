/** --root, --mount, --tmpfs and --sandbox: what the guest sees, what it can change, that nothing leads out, and that nothing is left behind. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LIFT64, ROOT } from './driver.js';

const ESCAPE = join(ROOT, 'tests', 'guest', 'bin', 'escape');
const TIME_LIMIT_MS = 200_000;

let dir = '';
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'lift64-mounts-'));
  for (const d of ['root', 'root/work', 'out', 'out/mnt', 'out/ro', 'out/ro/d']) mkdirSync(join(dir, d));
  writeFileSync(join(dir, 'out/secret'), `SECRET${'.'.repeat(7771)}`);
  writeFileSync(join(dir, 'secret'), 'SECRET');
  writeFileSync(join(dir, 'out/ro/file'), 'data');
  copyFileSync(ESCAPE, join(dir, 'root/escape'));
  copyFileSync(ESCAPE, join(dir, 'out/program'));
  chmodSync(join(dir, 'root/escape'), 0o755);
});
afterEach(() => {
  rmSync(dir, { recursive: true, force: true });
});

interface Outcome {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Process id of the last run. */
let lastPid = 0;

function lift64(...args: string[]): Outcome {
  const r = spawnSync(process.execPath, [LIFT64, ...args], { encoding: 'utf8', timeout: TIME_LIMIT_MS, cwd: dir });
  lastPid = r.pid;
  return { status: r.status, stdout: r.stdout, stderr: r.stderr };
}

/** Every file outside of the root, with its mode, size and time. */
function outside(): string[] {
  const out: string[] = [];
  const add = (path: string): void => {
    const st = lstatSync(path);
    if (path === join(dir, 'root')) return;
    out.push(`${path} ${st.mode.toString(8)} ${st.isDirectory() ? '' : `${st.size} ${st.mtimeMs}`}`);
    if (st.isDirectory()) for (const name of readdirSync(path)) add(join(path, name));
  };
  add(dir);
  return out;
}

const REFUSED = [
  'starts in /',
  '/mnt/in/deep /mnt/in /mnt / /',
  '/mnt',
  'mount points in the root: f',
  '500 attempts and more, 0 escapes',
  '',
].join('\n');

describe('ways out', () => {
  test.each([
    ['--root', 'auto'],
    ['--root', 'interp'],
    ['--sandbox', 'auto'],
  ])('%s in tier %s: none', (how, tier) => {
    const mounts = [
      `${dir}/out/mnt:/mnt`,
      `${dir}/out/ro:/ro:ro`,
      ...(how === '--root' ? [] : [`${dir}/root/work:/work`]),
    ];
    const options = [
      ...mounts.flatMap((m) => ['--mount', m]),
      ...(how === '--root' ? ['--root', `${dir}/root`] : [how]),
    ];
    const before = outside();
    const r = lift64('--tier', tier, ...options, how === '--root' ? '/escape' : ESCAPE, `${dir}/out`, '100');
    expect(r.stdout).toBe(REFUSED);
    expect(r.status).toBe(0);
    expect(outside()).toEqual(before);
  });
});

describe('the tree', () => {
  const shell = (options: string[], script: string): Outcome => lift64(...options, '/bin/sh', '-c', script);

  test("a mount shows in its directory, and its files are the host's", () => {
    const r = shell(
      ['--mount', `${dir}/out:/mount-of-test`],
      'echo /mount-o*; cat /mount-of-test/ro/file; echo new > /mount-of-test/made; pwd',
    );
    expect(r.stdout).toBe(`/mount-of-test\ndata${dir}\n`);
    expect(readFileSync(join(dir, 'out/made'), 'utf8')).toBe('new\n');
  });

  test('--cwd: where the guest starts, in its tree', () => {
    expect(shell(['--mount', `${dir}/out:/mount-of-test`, '--cwd', '/mount-of-test/ro'], 'pwd; cat file').stdout).toBe(
      '/mount-of-test/ro\ndata',
    );
    expect(shell(['--cwd', '/usr'], 'pwd').stdout).toBe('/usr\n');
    expect(shell(['--cwd', '/none'], 'pwd')).toMatchObject({
      status: 125,
      stderr: "lift64: the guest can't start in '/none': no such directory\n",
    });
  });

  test('a mount of a file', () => {
    const r = shell(['--mount', `${dir}/out/ro/file:/etc/hostname:ro`], 'cat /etc/hostname; echo x > /etc/hostname');
    expect(r.stdout).toBe('data');
    expect(r.stderr).toContain('Read-only file system');
  });

  test('--tmpfs keeps extended attributes until the last name is gone', () => {
    const script = [
      'import os',
      'os.chdir("/home")',
      'f = os.open("f", os.O_CREAT | os.O_RDWR)',
      'os.setxattr(f, "user.a", b"one"); os.setxattr("f", "user.b", b"two")',
      'os.rename("f", "g"); print(sorted(os.listxattr("g")), os.getxattr("g", "user.a"))',
      'os.removexattr("g", "user.a"); print(os.listxattr("g"))',
      'os.close(f); os.unlink("g"); open("g", "w").close(); print(os.listxattr("g"))',
    ].join('\n');
    const r = lift64('--tmpfs', '/home', '/usr/bin/python3', '-c', script);
    expect(r.stdout).toBe("['user.a', 'user.b'] b'one'\n['user.b']\n[]\n");
  });

  test('--tmpfs is empty, writable and gone at the end', () => {
    const r = shell(
      ['--tmpfs', '/home'],
      'ls /home; mkdir -p /home/a/b; echo hi > /home/a/b/f; cat /home/a/b/f; ln -s b /home/a/l; cat /home/a/l/f',
    );
    expect(r).toEqual({ status: 0, stdout: 'hi\nhi\n', stderr: '' });
    expect(readdirSync('/dev/shm').filter((name) => name.startsWith(`lift64-tmpfs-${lastPid}-`))).toEqual([]);
  });

  test('an environment variable and a file of the host are not in a sandbox', () => {
    const usr = ['/usr', '/lib', '/lib64', '/bin']
      .filter((p) => existsSync(p))
      .flatMap((p) => ['--mount', `${p}:${p}:ro`]);
    const r = lift64(
      '--sandbox',
      ...usr,
      '-E',
      'A=b',
      '/bin/sh',
      '-c',
      'echo $HOME $A; echo /*; cat /etc/passwd; echo x > /f; cat /f',
    );
    expect(r.stdout).toBe('b\n/bin /dev /lib /lib64 /proc /tmp /usr\nx\n');
    expect(r.stderr).toContain('/etc/passwd: No such file or directory');
  });

  test("a mount's root is no link; in a sandbox of a user, all files of others are nobody's", () => {
    const isRoot = process.getuid?.() === 0;
    const mounts = ['--mount', `${dir}/out/ro:/m:ro`, '--mount', '/etc/hosts:/h:ro', '--tmpfs', '/t'];
    const r = lift64('--sandbox', ...mounts, join(ROOT, 'tests', 'guest', 'bin', 'mount-roots'), '/', '/m', '/t', '/h');
    const said = 'readlink Invalid argument, open works';
    expect(r.stdout.split('\n')).toEqual([
      ...['/', '/m', '/t'].map((path) => `${path}: directory, alike, own, ${said}`),
      `/h: file, alike, ${isRoot ? 'own' : "nobody's"}, ${said}`,
      ...(isRoot ? ['all users'] : ['one user', 'chown: Invalid argument']),
      '',
    ]);
  });

  test('--max-procs: one process more is refused', () => {
    const r = shell(['--max-procs', '3'], 'sleep 100 & sleep 100 & sleep 100 & echo no');
    expect(r.stdout).toBe('');
    expect(r.stderr).toMatch(/Resource temporarily unavailable|Cannot fork/);
  });

  test('what can not be mounted is said', () => {
    expect(lift64('--root', `${dir}/none`, '/x')).toMatchObject({
      status: 125,
      stderr: expect.stringContaining('--root'),
    });
    expect(lift64('--mount', 'nonsense', '/x')).toMatchObject({
      status: 125,
      stderr: expect.stringContaining('HOST:GUEST'),
    });
    expect(lift64('--root', `${dir}/root`, '/none')).toMatchObject({ status: 127 });
  });
});
