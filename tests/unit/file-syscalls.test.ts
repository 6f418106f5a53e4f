/** System calls on files, against real directories and Node's own view of them. */
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import {
  EAGAIN,
  EBADF,
  EEXIST,
  EFAULT,
  EFBIG,
  EINVAL,
  EIO,
  EISDIR,
  ELOOP,
  EMFILE,
  ENAMETOOLONG,
  ENOENT,
  ENOTDIR,
  ENOTTY,
  ENXIO,
  EOPNOTSUPP,
  EPERM,
  EPIPE,
  ERANGE,
  ERESTART_RESTARTBLOCK,
  ERESTARTNOHAND,
  ERESTARTSYS,
  ESPIPE,
} from '../../runtime/linux/errno.js';
import { bytePath } from '../../runtime/vfs/byte-path.js';
import { releaseTable } from '../../runtime/vfs/fd-table.js';
import { MARK } from '../../runtime/vfs/open-files.js';
import { describe as describeFile } from '../../runtime/vfs/open.js';
import { installFile } from '../../runtime/vfs/fd-table.js';
import { FakeThread, newRegion, NO_ACCESS, READ_ONLY } from './vfs-fake.js';

const CWD = -100;
const O = {
  RDONLY: 0,
  WRONLY: 1,
  RDWR: 2,
  CREAT: 0o100,
  EXCL: 0o200,
  TRUNC: 0o1000,
  APPEND: 0o2000,
  NONBLOCK: 0o4000,
  DIRECTORY: 0o200000,
  NOFOLLOW: 0o400000,
  CLOEXEC: 0o2000000,
  PATH: 0o10000000,
} as const;
const LARGEFILE = 0o100000;

let dir = '';
let t: FakeThread;
beforeEach(() => {
  dir = fs.mkdtempSync(path.join(os.tmpdir(), 'lift64-file-'));
  t = new FakeThread(newRegion(), 1, dir);
});
afterEach(() => {
  releaseTable(t.files.state, t.files.table);
  fs.rmSync(dir, { recursive: true, force: true });
});

const at = (name: string): string => path.join(dir, name);
const open = (name: string, flags: number = O.RDONLY, mode = 0o666): number => t.call('openat', CWD, name, flags, mode);

/** Reads a struct stat by a call that stores it at its `index`th argument. */
function statOf(call: (out: number) => number): Record<string, bigint> | number {
  const out = t.alloc(144);
  const r = call(out);
  if (r < 0) return r;
  const v = t.mem.view;
  const u64 = (o: number): bigint => v.getBigUint64(out + o, true);
  const u32 = (o: number): bigint => BigInt(v.getUint32(out + o, true));
  return {
    dev: u64(0),
    ino: u64(8),
    nlink: u64(16),
    mode: u32(24),
    uid: u32(28),
    gid: u32(32),
    rdev: u64(40),
    size: u64(48),
    blksize: u64(56),
    blocks: u64(64),
    atimeNs: u64(72) * 1_000_000_000n + u64(80),
    mtimeNs: u64(88) * 1_000_000_000n + u64(96),
    ctimeNs: u64(104) * 1_000_000_000n + u64(112),
  };
}

function iovec(...ranges: readonly (readonly [number, number])[]): number {
  const iov = t.alloc(16 * ranges.length);
  ranges.forEach(([addr, size], i) => {
    t.mem.writeU64(iov + 16 * i, BigInt(addr));
    t.mem.writeU64(iov + 16 * i + 8, BigInt(size));
  });
  return iov;
}

describe('open, read, write', () => {
  test('creation mode goes through the guest umask, not the host', () => {
    const fd = open('new', O.CREAT | O.WRONLY | O.EXCL, 0o777);
    expect(fd).toBe(0);
    // The host's own umask applies too where it has not been set to 0, as launch does.
    const host = process.umask(0);
    try {
      expect(open('other', O.CREAT | O.WRONLY, 0o777)).toBe(1);
    } finally {
      process.umask(host);
    }
    expect(fs.statSync(at('other')).mode & 0o7777).toBe(0o755);
    expect(t.call('umask', 0o27)).toBe(0o22);
    expect(open('new', O.CREAT | O.EXCL, 0o777)).toBe(-EEXIST);
    expect(t.writeText(fd, 'hello')).toBe(5);
    expect(t.call('close', fd)).toBe(0);
    expect(t.call('close', fd)).toBe(-EBADF);
    expect(fs.readFileSync(at('new'), 'utf8')).toBe('hello');
  });

  test('offsets, lseek, holes', () => {
    fs.writeFileSync(at('f'), '0123456789');
    const fd = open('f', O.RDWR);
    expect(t.readText(fd, 4)).toBe('0123');
    expect(t.call('lseek', fd, 0, 1)).toBe(4);
    expect(t.call('lseek', fd, -2, 2)).toBe(8);
    expect(t.readText(fd)).toBe('89');
    expect(t.readText(fd)).toBe('');
    expect(t.call('lseek', fd, -1, 0)).toBe(-EINVAL);
    expect(t.call('lseek', fd, 0, 9)).toBe(-EINVAL);
    expect(t.call('lseek', fd, 3, 3)).toBe(3);
    expect(t.call('lseek', fd, 3, 4)).toBe(10);
    expect(t.call('lseek', fd, 10, 3)).toBe(-ENXIO);
    expect(t.call('lseek', fd, 20, 0)).toBe(20);
    expect(t.writeText(fd, 'x')).toBe(1);
    expect(fs.statSync(at('f')).size).toBe(21);
  });

  test('dup shares the offset, a second open does not', () => {
    fs.writeFileSync(at('f'), 'abcdef');
    const fd = open('f');
    const copy = t.call('dup', fd);
    expect(t.readText(fd, 2)).toBe('ab');
    expect(t.readText(copy, 2)).toBe('cd');
    expect(t.readText(open('f'), 2)).toBe('ab');
    expect(t.call('dup2', fd, 40)).toBe(40);
    expect(t.readText(40)).toBe('ef');
  });

  test('append writes at the end, and leaves the offset there', () => {
    fs.writeFileSync(at('f'), 'abc');
    const fd = open('f', O.RDWR | O.APPEND);
    expect(t.readText(fd, 1)).toBe('a');
    expect(t.writeText(fd, 'de')).toBe(2);
    expect(t.call('lseek', fd, 0, 1)).toBe(5);
    // By F_SETFL too.
    const plain = open('f', O.RDWR);
    expect(t.call('fcntl', plain, 4, O.APPEND)).toBe(0);
    expect(t.writeText(plain, 'f')).toBe(1);
    expect(fs.readFileSync(at('f'), 'utf8')).toBe('abcdef');
  });

  test('positioned transfers leave the offset alone', () => {
    const fd = open('f', O.CREAT | O.RDWR);
    expect(t.call('pwrite64', fd, Buffer.from('xyz'), 3, 5)).toBe(3);
    const b = t.alloc(8);
    expect(t.call('pread64', fd, b, 8, 4)).toBe(4);
    expect(t.text(b, 4)).toBe('\0xyz');
    expect(t.call('lseek', fd, 0, 1)).toBe(0);
    expect(t.call('pread64', fd, b, 8, -1)).toBe(-EINVAL);
    expect(t.call('preadv2', fd, iovec([b, 2], [b + 4, 2]), 2, -1, 0, 0)).toBe(4);
    expect(t.call('lseek', fd, 0, 1)).toBe(4);
    expect(t.call('preadv2', fd, iovec([b, 2]), 1, 0, 0, 0x10)).toBe(-EOPNOTSUPP);
  });

  test('vectors', () => {
    const fd = open('f', O.CREAT | O.RDWR);
    const [a, b] = [t.put(Buffer.from('one ')), t.put(Buffer.from('two'))];
    expect(t.call('writev', fd, iovec([a, 4], [0, 0], [b, 3]), 3)).toBe(7);
    expect(t.call('lseek', fd, 0, 0)).toBe(0);
    const out = t.alloc(16);
    expect(t.call('readv', fd, iovec([out, 2], [out + 8, 8]), 2)).toBe(7);
    expect(t.text(out, 16)).toBe('on\0\0\0\0\0\0e two\0\0\0');
    expect(t.call('readv', fd, iovec([out, 2]), 1025)).toBe(-EINVAL);
    expect(t.call('readv', fd, iovec([out, -1]), 1)).toBe(-EINVAL);
    expect(t.call('pwritev', fd, iovec([b, 3]), 1, 1)).toBe(3);
    expect(fs.readFileSync(at('f'), 'utf8')).toBe('otwotwo');
  });

  test('buffers that can not be reached', () => {
    fs.writeFileSync(at('f'), Buffer.alloc(10000, 'q'));
    const fd = open('f', O.RDWR);
    expect(t.call('read', fd, NO_ACCESS, 10)).toBe(-EFAULT);
    expect(t.call('read', fd, READ_ONLY, 10)).toBe(-EFAULT);
    expect(t.call('write', fd, READ_ONLY, 10)).toBe(10);
    expect(t.call('write', fd, NO_ACCESS, 10)).toBe(-EFAULT);
    expect(t.call('openat', CWD, NO_ACCESS, 0)).toBe(-EFAULT);
    // The part before the bad page is transferred.
    expect(t.call('pread64', fd, READ_ONLY - 100, 200, 0)).toBe(100);
    // A buffer larger than its mapping is no fault as long as the file is short.
    fs.writeFileSync(at('short'), 'hi');
    expect(t.call('read', open('short'), READ_ONLY - 100, 1 << 20)).toBe(2);
  });

  test('wrong directions and kinds', () => {
    fs.writeFileSync(at('f'), 'x');
    expect(t.readText(open('f', O.WRONLY))).toBe(-EBADF);
    expect(t.writeText(open('f'), 'y')).toBe(-EBADF);
    expect(t.readText(open('.', O.DIRECTORY))).toBe(-EISDIR);
    expect(open('.', O.WRONLY)).toBe(-EISDIR);
    expect(open('f', O.DIRECTORY)).toBe(-ENOTDIR);
    expect(open('')).toBe(-ENOENT);
    expect(open('nope')).toBe(-ENOENT);
    expect(open('f/g')).toBe(-ENOTDIR);
    expect(open('x'.repeat(4096))).toBe(-ENAMETOOLONG);
    fs.symlinkSync('f', at('l'));
    expect(open('l', O.NOFOLLOW)).toBe(-ELOOP);
    const p = open('f', O.PATH);
    expect(t.readText(p)).toBe(-EBADF);
    expect(t.call('fcntl', p, 3)).toBe(O.PATH);
    expect(t.call('fcntl', p, 4, 0)).toBe(-EBADF);
    expect(t.call('ioctl', open('f'), 0x5401, t.alloc(64))).toBe(-ENOTTY);
  });

  test('descriptors run out before anything is created', () => {
    t.port.descriptorLimit = 2;
    open('a', O.CREAT | O.RDWR);
    open('b', O.CREAT | O.RDWR);
    expect(open('c', O.CREAT | O.RDWR)).toBe(-EMFILE);
    expect(fs.existsSync(at('c'))).toBe(false);
  });

  test('names of any bytes', () => {
    const name = Buffer.from([0xff, 0x80, 0x41, 0]);
    expect(t.call('open', name, O.CREAT | O.WRONLY, 0o644)).toBe(0);
    expect(fs.readdirSync(dir, { encoding: 'buffer' })).toEqual([name.subarray(0, 3)]);
    const out = t.alloc(100);
    expect(t.call('readlink', '/proc/self/fd/0', out, 100)).toBe(dir.length + 4);
    expect(t.bytes(out, dir.length + 4).subarray(-3)).toEqual(name.subarray(0, 3));
  });

  test('the file size limit', () => {
    const fd = open('f', O.CREAT | O.RDWR);
    t.port.fileLimit = 4;
    expect(t.writeText(fd, 'abcdef')).toBe(4);
    expect(t.writeText(fd, 'ef')).toBe(-EFBIG);
    expect(t.port.signals).toEqual([25]);
    expect(t.call('ftruncate', fd, 5)).toBe(-EFBIG);
  });

  test('openat2', () => {
    const how = (flags: number, mode = 0, resolve = 0): Uint8Array => {
      const b = Buffer.alloc(24);
      b.writeUInt32LE(flags, 0);
      b.writeUInt32LE(mode, 8);
      b.writeUInt32LE(resolve, 16);
      return b;
    };
    expect(t.call('openat2', CWD, 'f', how(O.CREAT | O.RDWR, 0o600), 24)).toBe(0);
    expect(t.call('openat2', CWD, 'f', how(O.RDWR, 0o600), 24)).toBe(-EINVAL);
    expect(t.call('openat2', CWD, 'f', how(0), 20)).toBe(-EINVAL);
  });

  test('a large file', () => {
    const fd = open('f', O.CREAT | O.RDWR);
    const far = 5 * 2 ** 30;
    expect(t.call('pwrite64', fd, Buffer.from('end'), 3, far)).toBe(3);
    expect(t.call('lseek', fd, 0, 2)).toBe(far + 3);
    expect(t.call('lseek', fd, far, 0)).toBe(far);
    expect(t.readText(fd)).toBe('end');
  });
});

describe('directories', () => {
  /** Entries as getdents64 gives them. */
  function list(fd: number, size = 4096): { name: string; ino: bigint; type: number; next: bigint }[] | number {
    const out: { name: string; ino: bigint; type: number; next: bigint }[] = [];
    const at = t.alloc(size);
    for (;;) {
      const n = t.call('getdents64', fd, at, size);
      if (n < 0) return n;
      if (n === 0) return out;
      for (let o = at; o < at + n;) {
        const length = t.mem.view.getUint16(o + 16, true);
        expect(length % 8).toBe(0);
        const name = t.text(o + 19, length - 19).replace(/\0.*/s, '');
        out.push({
          name,
          ino: t.mem.view.getBigUint64(o, true),
          type: t.mem.bytes[o + 18] ?? 0,
          next: t.mem.view.getBigInt64(o + 8, true),
        });
        o += length;
      }
    }
  }

  test('entries, types, inodes, order of the host', () => {
    for (let i = 0; i < 300; i++) fs.writeFileSync(at(`file-${(i * 7919) % 1000}`), '');
    fs.mkdirSync(at('sub'));
    fs.symlinkSync('x', at('link'));
    const entries = list(open('.', O.DIRECTORY), 512);
    if (typeof entries === 'number') throw new Error('no list');
    expect(entries.slice(0, 2).map((e) => e.name)).toEqual(['.', '..']);
    const order = execFileSync('ls', ['-U', dir], { encoding: 'utf8' }).trim().split('\n');
    expect(entries.slice(2).map((e) => e.name)).toEqual(order);
    for (const e of entries) {
      expect(e.ino).toBe(fs.lstatSync(at(e.name), { bigint: true }).ino);
    }
    const types = Object.fromEntries(entries.map((e) => [e.name, e.type]));
    expect([types['sub'], types['link'], types['file-0']]).toEqual([4, 10, 8]);
  });

  test('rewind shows what has changed, seekdir goes on from a cookie', () => {
    fs.writeFileSync(at('a'), '');
    const fd = open('.');
    expect((list(fd) as unknown[]).length).toBe(3);
    fs.writeFileSync(at('b'), '');
    expect(list(fd)).toEqual([]);
    expect(t.call('lseek', fd, 0, 0)).toBe(0);
    const all = list(fd) as { name: string; next: bigint }[];
    expect(all.map((e) => e.name).sort()).toEqual(['.', '..', 'a', 'b']);
    expect(t.call('lseek', fd, Number(all[1]?.next), 0)).toBe(2);
    expect(list(fd)).toEqual(all.slice(2));
  });

  test('removal between two calls leaves no gap; errors', () => {
    for (let i = 0; i < 50; i++) fs.writeFileSync(at(`n${i}`), '');
    const fd = open('.');
    const out = t.alloc(256);
    let seen = 0;
    for (;;) {
      const n = t.call('getdents64', fd, out, 256);
      if (n <= 0) break;
      for (let o = out; o < out + n;) {
        const length = t.mem.view.getUint16(o + 16, true);
        const name = t.text(o + 19, length - 19).replace(/\0.*/s, '');
        if (!name.startsWith('.')) {
          expect(t.call('unlinkat', fd, name, 0)).toBe(0);
          seen++;
        }
        o += length;
      }
    }
    expect(seen).toBe(50);
    fs.writeFileSync(at('f'), '');
    expect(t.call('getdents64', open('f'), out, 256)).toBe(-ENOTDIR);
    expect(t.call('lseek', fd, 0, 0)).toBe(0);
    expect(t.call('getdents64', fd, out, 8)).toBe(-EINVAL);
    fs.mkdirSync(at('gone'));
    const gone = open('gone');
    fs.rmdirSync(at('gone'));
    expect(list(gone)).toBe(-ENOENT);
  });

  test('working directory follows a rename, and can be removed', () => {
    fs.mkdirSync(at('one/two'), { recursive: true });
    expect(t.call('chdir', 'one/two')).toBe(0);
    const out = t.alloc(4096);
    const cwd = (): string | number => {
      const n = t.call('getcwd', out, 4096);
      return n < 0 ? n : t.text(out, n - 1);
    };
    expect(cwd()).toBe(at('one/two'));
    fs.renameSync(at('one'), at('uno'));
    expect(cwd()).toBe(at('uno/two'));
    expect(open('x', O.CREAT | O.WRONLY)).toBe(0);
    expect(fs.existsSync(at('uno/two/x'))).toBe(true);
    expect(t.call('chdir', '..')).toBe(0);
    expect(cwd()).toBe(at('uno'));
    const fd = open('two');
    expect(t.call('fchdir', fd)).toBe(0);
    expect(cwd()).toBe(at('uno/two'));
    fs.rmSync(at('uno'), { recursive: true });
    expect(cwd()).toBe(-ENOENT);
    expect(t.call('getcwd', out, 2)).toBe(-ENOENT);
    expect(t.call('chdir', dir)).toBe(0);
    expect(t.call('getcwd', out, 2)).toBe(-ERANGE);
    fs.writeFileSync(at('f'), '');
    expect(t.call('chdir', 'f')).toBe(-ENOTDIR);
    expect(t.call('fchdir', open('f'))).toBe(-ENOTDIR);
    expect(t.call('chdir', 'none')).toBe(-ENOENT);
  });

  test('paths from a descriptor, wherever the directory is', () => {
    fs.mkdirSync(at('d'));
    fs.writeFileSync(at('d/f'), 'content');
    const d = open('d', O.PATH | O.DIRECTORY);
    fs.renameSync(at('d'), at('e'));
    const fd = t.call('openat', d, 'f', 0, 0);
    expect(t.readText(fd)).toBe('content');
    expect(t.call('openat', 99, 'f', 0, 0)).toBe(-EBADF);
    expect(t.call('openat', fd, 'f', 0, 0)).toBe(-ENOTDIR);
    expect(t.call('openat', 99, at('e/f'), 0, 0)).toBeGreaterThan(0);
  });

  test('making, removing, renaming, linking', () => {
    expect(t.call('mkdir', 'd', 0o777)).toBe(0);
    expect(t.call('mkdirat', CWD, 'd', 0o777)).toBe(-EEXIST);
    fs.writeFileSync(at('d/f'), 'x');
    expect(t.call('rmdir', 'd')).toBeLessThan(0);
    expect(t.call('unlink', 'd')).toBe(-EISDIR);
    expect(t.call('link', 'd/f', 'g')).toBe(0);
    expect(t.call('link', 'd/f', 'g')).toBe(-EEXIST);
    expect(t.call('symlink', 'd/f', 'l')).toBe(0);
    expect(t.call('symlink', '', 'm')).toBe(-ENOENT);
    expect(fs.readlinkSync(at('l'))).toBe('d/f');
    expect(t.call('linkat', CWD, 'l', CWD, 'm', 0x400)).toBe(0);
    expect(fs.lstatSync(at('m')).isFile()).toBe(true);
    expect(t.call('renameat2', CWD, 'g', CWD, 'm', 1)).toBe(-EEXIST);
    expect(t.call('renameat2', CWD, 'g', CWD, 'h', 1)).toBe(0);
    expect(t.call('renameat2', CWD, 'd', CWD, 'h', 1)).toBe(-EEXIST);
    expect(t.call('renameat2', CWD, 'h', CWD, 'm', 2)).toBe(0);
    expect(t.call('renameat2', CWD, 'h', CWD, 'm', 2)).toBe(0);
    expect(t.call('renameat2', CWD, 'h', CWD, 'm', 4)).toBe(-EINVAL);
    // Two names of one file: nothing happens.
    expect(t.call('rename', 'h', 'd/f')).toBe(0);
    expect(t.call('unlinkat', CWD, 'd', 0x200)).toBeLessThan(0);
    expect(t.call('unlinkat', CWD, 'd/f', 0)).toBe(0);
    expect(t.call('unlinkat', CWD, 'd', 0x200)).toBe(0);
    expect(fs.readdirSync(dir).sort()).toEqual(['h', 'l', 'm']);
    expect(t.call('mknod', 'reg', 0o100600, 0)).toBe(0);
    expect(t.call('mknod', 'fifo', 0o010600, 0)).toBe(0);
    expect(fs.statSync(at('fifo')).isFIFO()).toBe(true);
    expect(t.call('mknod', 'fifo', 0o010600, 0)).toBe(-EEXIST);
    expect(t.call('mkdir', 'sub', 0o700)).toBe(0);
    expect(t.call('mknodat', open('sub'), 'fifo', 0o010600, 0)).toBe(0);
    expect(fs.statSync(at('sub/fifo')).isFIFO()).toBe(true);
    expect(t.call('mknod', 'dev', 0o020600, 0)).toBe(-EPERM);
  });

  test('-L: what exists under the prefix comes first', () => {
    fs.mkdirSync(at('root/etc'), { recursive: true });
    fs.writeFileSync(at('root/etc/passwd'), 'prefixed');
    const p = new FakeThread(newRegion(), 2, dir, { prefix: bytePath(at('root')) });
    expect(p.readText(p.call('open', '/etc/passwd', 0))).toBe('prefixed');
    expect(p.call('access', '/etc/hostname', 0)).toBe(0);
    expect(p.call('open', at('new'), O.CREAT | O.WRONLY, 0o600)).toBeGreaterThan(0);
    expect(fs.existsSync(at('new'))).toBe(true);
    releaseTable(p.files.state, p.files.table);
  });
});

describe('status', () => {
  const fields = (p: string, link = false): Record<string, bigint> => {
    const s = (link ? fs.lstatSync : fs.statSync)(p, { bigint: true });
    const { dev, ino, nlink, mode, uid, gid, rdev, size, blksize, blocks, atimeNs, mtimeNs, ctimeNs } = s;
    return { dev, ino, nlink, mode, uid, gid, rdev, size, blksize, blocks, atimeNs, mtimeNs, ctimeNs };
  };

  test('every field is the host its own', () => {
    fs.writeFileSync(at('f'), 'abc');
    fs.symlinkSync('f', at('l'));
    for (const name of ['f', 'l', '.', '/dev/null', '/etc/passwd'])
      expect(statOf((out) => t.call('stat', name, out))).toEqual(fields(path.resolve(dir, name)));
    expect(statOf((out) => t.call('lstat', 'l', out))).toEqual(fields(at('l'), true));
    expect(statOf((out) => t.call('newfstatat', CWD, 'l', out, 0x100))).toEqual(fields(at('l'), true));
    const fd = open('f');
    expect(statOf((out) => t.call('fstat', fd, out))).toEqual(fields(at('f')));
    expect(statOf((out) => t.call('newfstatat', fd, '', out, 0x1000))).toEqual(fields(at('f')));
    expect(statOf((out) => t.call('newfstatat', CWD, '', out, 0x1000))).toEqual(fields(dir));
    expect(statOf((out) => t.call('newfstatat', fd, '', out, 0))).toBe(-ENOENT);
    expect(statOf((out) => t.call('newfstatat', fd, 'f', out, 0))).toBe(-ENOTDIR);
    expect(statOf((out) => t.call('newfstatat', fd, '', out, 0x8000))).toBe(-EINVAL);
    expect(t.call('stat', 'f', NO_ACCESS)).toBe(-EFAULT);
    expect(t.call('fstat', 99, t.alloc(144))).toBe(-EBADF);
  });

  test('statx', () => {
    fs.writeFileSync(at('f'), 'abc');
    const out = t.alloc(256);
    expect(t.call('statx', CWD, 'f', 0, 0xfff, out)).toBe(0);
    const v = t.mem.view;
    const s = fs.statSync(at('f'), { bigint: true });
    expect(v.getBigUint64(out + 32, true)).toBe(s.ino);
    expect(v.getUint16(out + 28, true)).toBe(Number(s.mode));
    expect(v.getBigInt64(out + 80, true) * 1_000_000_000n + BigInt(v.getUint32(out + 88, true))).toBe(s.birthtimeNs);
    expect(t.call('statx', CWD, 'f', 0x6000, 0xfff, out)).toBe(-EINVAL);
    expect(t.call('statx', open('f'), 0, 0x1000, 0xfff, out)).toBe(0);
  });

  test('access and readlink', () => {
    fs.writeFileSync(at('f'), '');
    fs.chmodSync(at('f'), 0o644);
    fs.symlinkSync('nowhere', at('l'));
    expect(t.call('access', 'f', 4)).toBe(0);
    expect(t.call('access', 'f', 1)).toBe(-13);
    expect(t.call('access', 'f', 8)).toBe(-EINVAL);
    expect(t.call('access', 'l', 0)).toBe(-ENOENT);
    expect(t.call('faccessat2', CWD, 'l', 4, 0x100)).toBe(0);
    expect(t.call('faccessat2', open('f'), '', 4, 0x1000)).toBe(0);
    const out = t.alloc(16);
    expect(t.call('readlink', 'l', out, 4)).toBe(4);
    expect(t.text(out, 5)).toBe('nowh\0');
    expect(t.call('readlink', 'f', out, 4)).toBe(-EINVAL);
    expect(t.call('readlink', 'l', out, 0)).toBe(-EINVAL);
    const link = open('l', O.PATH | O.NOFOLLOW);
    expect(t.call('readlinkat', link, '', out, 16)).toBe(7);
  });

  test('statfs', () => {
    const out = t.alloc(120);
    expect(t.call('statfs', '.', out)).toBe(0);
    const s = fs.statfsSync(dir, { bigint: true });
    expect(t.mem.view.getBigUint64(out, true)).toBe(s.type);
    expect(t.mem.view.getBigUint64(out + 8, true)).toBe(s.bsize);
    expect(t.mem.view.getBigUint64(out + 16, true)).toBe(s.blocks);
    expect(t.call('fstatfs', open('.'), out)).toBe(0);
  });

  test('mode, owner, length, times', () => {
    fs.writeFileSync(at('f'), 'abcdef');
    fs.symlinkSync('f', at('l'));
    const fd = open('f', O.RDWR);
    expect(t.call('chmod', 'f', 0o4711)).toBe(0);
    expect(fs.statSync(at('f')).mode & 0o7777).toBe(0o4711);
    expect(t.call('fchmod', fd, 0o600)).toBe(0);
    expect(t.call('fchmodat2', CWD, 'l', 0o640, 0x100)).toBe(-EOPNOTSUPP);
    expect(fs.statSync(at('f')).mode & 0o7777).toBe(0o600);
    expect(t.call('chown', 'f', -1, -1)).toBe(0);
    expect(t.call('fchown', fd, -1, process.getgid?.() ?? 0)).toBe(0);
    expect(t.call('lchown', 'l', -1, -1)).toBe(0);
    expect(t.call('fchownat', fd, '', -1, -1, 0x1000)).toBe(0);
    expect(t.call('truncate', 'f', 3)).toBe(0);
    expect(t.call('ftruncate', fd, 2)).toBe(0);
    expect(t.call('ftruncate', fd, -1)).toBe(-EINVAL);
    expect(t.call('ftruncate', open('f'), 1)).toBe(-EINVAL);
    expect(fs.readFileSync(at('f'), 'utf8')).toBe('ab');
    expect(t.call('fallocate', fd, 0, 0, 10)).toBe(0);
    expect(fs.statSync(at('f')).size).toBe(10);
    expect(t.call('fallocate', fd, 1, 0, 100)).toBe(0);
    expect(t.call('fallocate', fd, 3, 0, 1)).toBe(0);
    expect(fs.readFileSync(at('f'))[0]).toBe(0);
    expect(fs.statSync(at('f')).size).toBe(10);

    const times = (...values: readonly (readonly [number, number])[]): Uint8Array => {
      const b = Buffer.alloc(32);
      values.forEach(([s, ns], i) => {
        b.writeBigInt64LE(BigInt(s), 16 * i);
        b.writeBigInt64LE(BigInt(ns), 16 * i + 8);
      });
      return b;
    };
    const ns = (): bigint[] => {
      const s = fs.statSync(at('f'), { bigint: true });
      return [s.atimeNs / 1000n, s.mtimeNs / 1000n];
    };
    for (const us of [0, 1, 123_456, 999_999, 500_000, 333_333]) {
      expect(t.call('utimensat', CWD, 'f', times([1_700_000_000, us * 1000], [1_600_000_001, us * 1000]), 0)).toBe(0);
      expect(ns()).toEqual([1_700_000_000_000_000n + BigInt(us), 1_600_000_001_000_000n + BigInt(us)]);
    }
    expect(t.call('utimensat', fd, 0, times([5, 0x3ffffffe], [7, 8000]), 0)).toBe(0);
    expect(ns()).toEqual([1_700_000_000_333_333n, 7_000_008n]);
    expect(t.call('utimensat', CWD, 'f', 0, 0)).toBe(0);
    expect(Math.abs(fs.statSync(at('f')).mtimeMs - Date.now())).toBeLessThan(2000);
    // The host has set its clock.
    const step = jest.spyOn(Date, 'now').mockReturnValue(Date.now() + 7000);
    expect(t.call('utimensat', CWD, 'f', 0, 0)).toBe(0);
    expect(Math.abs(fs.statSync(at('f')).mtimeMs - Date.now())).toBeLessThan(25);
    step.mockRestore();
    expect(t.call('utimensat', CWD, 'f', 0, 0)).toBe(0);
    expect(Math.abs(fs.statSync(at('f')).mtimeMs - Date.now())).toBeLessThan(2000);
    expect(t.call('utimensat', CWD, 'f', times([-5, 0], [-5, 0]), 0)).toBe(0);
    expect(fs.statSync(at('f')).mtimeMs).toBe(-5000);
    expect(t.call('utimensat', CWD, 'f', times([0, 1e9], [0, 0]), 0)).toBe(-EINVAL);
    expect(t.call('utimensat', CWD, 'l', times([9, 0], [9, 0]), 0x100)).toBe(0);
    expect(fs.lstatSync(at('l')).mtimeMs).toBe(9000);
    expect(t.call('utime', 'f', times([3, 4]))).toBe(0);
    expect(fs.statSync(at('f')).mtimeMs).toBe(4000);
    expect(t.call('utimes', 'f', times([3, 5], [6, 7]))).toBe(0);
    expect(ns()).toEqual([3_000_005n, 6_000_007n]);
  });
});

describe('descriptors', () => {
  test('dup, fcntl, close_range', () => {
    fs.writeFileSync(at('f'), '');
    const fd = open('f', O.RDWR | O.CLOEXEC);
    expect(t.call('fcntl', fd, 1)).toBe(1);
    expect(t.call('fcntl', fd, 3)).toBe(O.RDWR | LARGEFILE);
    expect(t.call('fcntl', fd, 0, 10)).toBe(10);
    expect(t.call('fcntl', 10, 1)).toBe(0);
    expect(t.call('fcntl', fd, 1030, 10)).toBe(11);
    expect(t.call('fcntl', 11, 1)).toBe(1);
    expect(t.call('fcntl', fd, 0, 5000)).toBe(-EINVAL);
    expect(t.call('fcntl', fd, 2, 0)).toBe(0);
    expect(t.call('fcntl', fd, 1)).toBe(0);
    expect(t.call('fcntl', fd, 99)).toBe(-EINVAL);
    expect(t.call('fcntl', 77, 1)).toBe(-EBADF);
    expect(t.call('dup2', fd, fd)).toBe(fd);
    expect(t.call('dup2', 77, 77)).toBe(-EBADF);
    expect(t.call('dup2', fd, 5000)).toBe(-EBADF);
    expect(t.call('dup3', fd, fd, 0)).toBe(-EINVAL);
    expect(t.call('dup3', fd, 20, O.CLOEXEC)).toBe(20);
    expect(t.call('close_range', 10, 19, 4)).toBe(0);
    expect(t.call('fcntl', 10, 1)).toBe(1);
    expect(t.call('close_range', 10, 0xffff_ffff, 2)).toBe(0);
    expect([10, 11, 20].map((n) => t.call('fcntl', n, 1))).toEqual([-EBADF, -EBADF, -EBADF]);
    expect(t.call('ioctl', fd, 0x5451, 0)).toBe(0);
    expect(t.call('fcntl', fd, 1)).toBe(1);
    expect(t.call('ioctl', fd, 0x5421, Buffer.from([1, 0, 0, 0]))).toBe(0);
    expect(t.call('fcntl', fd, 3) & O.NONBLOCK).toBe(O.NONBLOCK);
  });

  test('pipes', () => {
    const fds = t.alloc(8);
    expect(t.call('pipe2', fds, O.CLOEXEC | O.NONBLOCK)).toBe(0);
    const [r, w] = [t.mem.readI32(fds) ?? -1, t.mem.readI32(fds + 4) ?? -1];
    expect([r, w]).toEqual([0, 1]);
    expect(t.readText(r)).toBe(-EAGAIN);
    expect(t.writeText(w, 'abc')).toBe(3);
    expect(t.writeText(r, 'abc')).toBe(-EBADF);
    const n = t.alloc(4);
    expect(t.call('ioctl', r, 0x541b, n)).toBe(0);
    expect(t.mem.readU32(n)).toBe(3);
    expect(t.call('lseek', r, 0, 0)).toBe(-ESPIPE);
    expect(t.call('pread64', r, n, 4, 0)).toBe(-ESPIPE);
    expect(t.readText(r, 2)).toBe('ab');
    expect(t.call('read', r, n, 0)).toBe(0);
    const big = t.put(Buffer.alloc(70000));
    expect(t.call('write', w, big, 70000)).toBe(65535);
    expect(t.call('write', w, big, 1)).toBe(-EAGAIN);
    const st = statOf((out) => t.call('fstat', r, out));
    expect(Number((st as { mode: bigint }).mode)).toBe(0o010600);
    expect(t.call('close', w)).toBe(0);
    expect(t.call('read', r, big, 70000)).toBe(65536);
    expect(t.readText(r)).toBe('');
    expect(t.call('pipe2', fds, O.APPEND)).toBe(-EINVAL);
    expect(t.call('pipe', NO_ACCESS)).toBe(-EFAULT);
    expect(t.call('pipe', fds)).toBe(0);
    t.call('close', t.mem.readI32(fds) ?? -1);
    expect(t.writeText(t.mem.readI32(fds + 4) ?? -1, 'x')).toBe(-EPIPE);
    expect(t.port.signals).toEqual([13]);
  });

  test('an interrupted read of a pipe', () => {
    const fds = t.alloc(8);
    t.call('pipe', fds);
    t.port.interruptedNow = true;
    expect(t.readText(0)).toBe(-ERESTARTSYS);
  });

  test('the other ends are opened again through /proc/self/fd', () => {
    const fds = t.alloc(8);
    t.call('pipe', fds);
    const again = open('/proc/self/fd/1', O.WRONLY);
    t.call('close', 1);
    expect(t.writeText(again, 'via name')).toBe(8);
    t.call('close', again);
    expect(t.readText(0)).toBe('via name');
    expect(t.readText(0)).toBe('');
  });

  test('eventfd', () => {
    const fd = t.call('eventfd2', 3, O.NONBLOCK);
    const b = t.alloc(8);
    expect(t.call('read', fd, b, 4)).toBe(-EINVAL);
    expect(t.call('read', fd, b, 8)).toBe(8);
    expect(t.mem.readU64(b)).toBe(3n);
    expect(t.call('read', fd, b, 8)).toBe(-EAGAIN);
    t.mem.writeU64(b, 0xffff_ffff_ffff_fffen);
    expect(t.call('write', fd, b, 8)).toBe(8);
    t.mem.writeU64(b, 1n);
    expect(t.call('write', fd, b, 8)).toBe(-EAGAIN);
    t.mem.writeU64(b, 0xffff_ffff_ffff_ffffn);
    expect(t.call('write', fd, b, 8)).toBe(-EINVAL);
    expect(t.call('eventfd2', 0, 0x10)).toBe(-EINVAL);
  });

  test('record locks between two processes', () => {
    fs.writeFileSync(at('f'), 'x'.repeat(100));
    const region = newRegion();
    const a = new FakeThread(region, 1, dir);
    const b = new FakeThread(region, 2, dir);
    const flock = (type: number, start: number, length: number, whence = 0): Uint8Array => {
      const bytes = Buffer.alloc(32);
      bytes.writeInt16LE(type, 0);
      bytes.writeInt16LE(whence, 2);
      bytes.writeBigInt64LE(BigInt(start), 8);
      bytes.writeBigInt64LE(BigInt(length), 16);
      return bytes;
    };
    const [fa, fb] = [a.call('open', 'f', O.RDWR), b.call('open', 'f', O.RDWR)];
    expect(a.call('fcntl', fa, 6, flock(1, 10, 10))).toBe(0);
    expect(b.call('fcntl', fb, 6, flock(0, 15, 1))).toBe(-EAGAIN);
    expect(b.call('fcntl', fb, 6, flock(1, -80, 5, 2))).toBe(0);
    expect(b.call('fcntl', b.call('open', 'f', 0), 6, flock(1, 0, 1))).toBe(-EBADF);
    const query = b.put(flock(0, 0, 0));
    expect(b.call('fcntl', fb, 5, query)).toBe(0);
    expect(b.mem.view.getInt16(query, true)).toBe(1);
    expect(b.mem.view.getBigInt64(query + 8, true)).toBe(10n);
    expect(b.mem.view.getInt32(query + 24, true)).toBe(4711);
    // Closing any descriptor of the file ends them.
    const other = a.call('open', 'f', O.RDONLY);
    a.call('close', other);
    expect(b.call('fcntl', fb, 6, flock(0, 15, 1))).toBe(0);
    // A lock of an open file description stands beside.
    expect(a.call('fcntl', fa, 37, flock(1, 15, 1))).toBe(-EAGAIN);
    expect(b.call('fcntl', fb, 6, flock(2, 0, 0))).toBe(0);
    expect(a.call('fcntl', fa, 37, flock(1, 15, 1))).toBe(0);
    b.port.interruptedNow = true;
    expect(b.call('fcntl', fb, 7, flock(1, 0, 0))).toBe(-ERESTARTSYS);
    for (const p of [a, b]) releaseTable(p.files.state, p.files.table);
  });

  test('flock', () => {
    fs.writeFileSync(at('f'), '');
    const [a, b] = [open('f'), open('f')];
    expect(t.call('flock', a, 2)).toBe(0);
    expect(t.call('flock', b, 1 | 4)).toBe(-EAGAIN);
    expect(t.call('flock', a, 1)).toBe(0);
    expect(t.call('flock', b, 1 | 4)).toBe(0);
    t.call('close', a);
    expect(t.call('flock', b, 2 | 4)).toBe(0);
    expect(t.call('flock', b, 16)).toBe(-EINVAL);
  });
});

describe('poll and select', () => {
  const pollfd = (...list: readonly (readonly [number, number])[]): number => {
    const a = t.alloc(8 * list.length);
    list.forEach(([fd, events], i) => {
      t.mem.view.setInt32(a + 8 * i, fd, true);
      t.mem.view.setInt16(a + 8 * i + 4, events, true);
    });
    return a;
  };
  const revents = (a: number, i: number): number => t.mem.view.getUint16(a + 8 * i + 6, true);

  test('poll', () => {
    fs.writeFileSync(at('f'), '');
    const fds = t.alloc(8);
    t.call('pipe', fds);
    const f = open('f');
    const a = pollfd([0, 1], [1, 4], [f, 5], [77, 1], [-1, 1]);
    expect(t.call('poll', a, 5, 0)).toBe(3);
    expect([0, 1, 2, 3, 4].map((i) => revents(a, i))).toEqual([0, 4, 5, 0x20, 0]);
    const b = pollfd([0, 1]);
    const start = performance.now();
    expect(t.call('poll', b, 1, 50)).toBe(0);
    expect(performance.now() - start).toBeGreaterThan(45);
    t.writeText(1, 'x');
    expect(t.call('poll', b, 1, -1)).toBe(1);
    t.call('close', 1);
    expect(t.call('poll', b, 1, -1)).toBe(1);
    expect(revents(b, 0)).toBe(0x11);
    expect(t.call('poll', b, 5000, 0)).toBe(-EINVAL);
    expect(t.call('poll', NO_ACCESS, 1, 0)).toBe(-EFAULT);
    t.readText(0);
    t.call('pipe', fds);
    const c = pollfd([t.mem.readI32(fds) ?? -1, 1]);
    t.port.interruptedNow = true;
    expect(t.call('poll', c, 1, 1000)).toBe(-ERESTART_RESTARTBLOCK);
    t.port.interruptedNow = false;
    t.writeText(t.mem.readI32(fds + 4) ?? -1, 'x');
    expect(t.restart()).toBe(1);
    expect(t.call('ppoll', c, 1, Buffer.alloc(16), 0, 8)).toBe(1);
    expect(t.call('ppoll', c, 1, Buffer.alloc(16, 0xff), 0, 8)).toBe(-EINVAL);
  });

  test('select', () => {
    const fds = t.alloc(8);
    t.call('pipe', fds);
    const sets = [t.alloc(128), t.alloc(128)] as const;
    const set = (bits: number): void => {
      for (const s of sets) t.mem.bytes[s] = bits;
    };
    set(3);
    expect(t.call('select', 2, sets[0], sets[1], 0, 0)).toBe(1);
    expect(sets.map((s) => t.mem.bytes[s])).toEqual([0, 2]);
    t.writeText(1, 'x');
    set(3);
    expect(t.call('select', 2, sets[0], sets[1], 0, 0)).toBe(2);
    expect(sets.map((s) => t.mem.bytes[s])).toEqual([1, 2]);
    set(0xff);
    expect(t.call('select', 8, sets[0], 0, 0, 0)).toBe(-EBADF);
    t.readText(0);
    set(1);
    const tv = t.alloc(16);
    t.mem.writeU64(tv + 8, 30_000n);
    expect(t.call('select', 1, sets[0], 0, 0, tv)).toBe(0);
    expect([t.mem.readU64(tv), t.mem.readU64(tv + 8)]).toEqual([0n, 0n]);
    set(1);
    t.mem.writeU64(tv, 100n);
    t.port.interruptedNow = true;
    expect(t.call('pselect6', 1, sets[0], 0, 0, tv, 0)).toBe(-ERESTARTNOHAND);
    expect(t.mem.readU64(tv)).toBe(99n);
    expect(t.call('select', -1, 0, 0, 0, 0)).toBe(-EINVAL);
  });
});

describe('copies and memory files', () => {
  test('sendfile', () => {
    fs.writeFileSync(at('f'), 'x'.repeat(200_000) + 'end');
    const [from, to] = [open('f'), open('g', O.CREAT | O.RDWR)];
    expect(t.call('sendfile', to, from, 0, 1e6)).toBe(200_003);
    expect(fs.readFileSync(at('g')).equals(fs.readFileSync(at('f')))).toBe(true);
    expect(t.call('lseek', from, 0, 1)).toBe(200_003);
    const offset = t.alloc(8);
    t.mem.writeU64(offset, 200_000n);
    const fds = t.alloc(8);
    t.call('pipe2', fds, O.NONBLOCK);
    expect(t.call('sendfile', t.mem.readI32(fds + 4) ?? -1, from, offset, 10)).toBe(3);
    expect(t.mem.readU64(offset)).toBe(200_003n);
    expect(t.readText(t.mem.readI32(fds) ?? -1)).toBe('end');
    // What a full pipe does not take is not lost.
    t.call('lseek', from, 0, 0);
    expect(t.call('sendfile', t.mem.readI32(fds + 4) ?? -1, from, 0, 100_000)).toBe(65_536);
    expect(t.call('lseek', from, 0, 1)).toBe(65_536);
    expect(t.call('sendfile', to, t.mem.readI32(fds) ?? -1, 0, 10)).toBe(-EINVAL);
  });

  test('copy_file_range and splice', () => {
    fs.writeFileSync(at('f'), '0123456789');
    const [from, to] = [open('f', O.RDWR), open('g', O.CREAT | O.RDWR)];
    const offset = t.alloc(8);
    t.mem.writeU64(offset, 4n);
    expect(t.call('copy_file_range', from, offset, to, 0, 100, 0)).toBe(6);
    expect(t.mem.readU64(offset)).toBe(10n);
    expect(fs.readFileSync(at('g'), 'utf8')).toBe('456789');
    t.mem.writeU64(offset, 2n);
    expect(t.call('copy_file_range', from, 0, from, offset, 5, 0)).toBe(-EINVAL);
    expect(t.call('copy_file_range', from, 0, to, 0, 5, 1)).toBe(-EINVAL);
    const fds = t.alloc(8);
    t.call('pipe2', fds, O.NONBLOCK);
    const [r, w] = [t.mem.readI32(fds) ?? -1, t.mem.readI32(fds + 4) ?? -1];
    expect(t.call('splice', from, 0, w, 0, 4, 0)).toBe(4);
    expect(t.call('splice', r, 0, to, 0, 100, 0)).toBe(4);
    expect(t.call('splice', r, 0, to, 0, 100, 2)).toBe(-EAGAIN);
    expect(t.call('splice', from, 0, to, 0, 4, 0)).toBe(-EINVAL);
    expect(fs.readFileSync(at('g'), 'utf8')).toBe('4567890123');
  });

  test('memfd_create and seals', () => {
    const fd = t.call('memfd_create', 'name', 2);
    expect(t.writeText(fd, 'abc')).toBe(3);
    const out = t.alloc(64);
    const n = t.call('readlink', `/proc/self/fd/${fd}`, out, 64);
    expect(t.text(out, n)).toBe('/memfd:name (deleted)');
    expect(t.call('fcntl', fd, 1033, 4 | 2)).toBe(0);
    expect(t.call('fcntl', fd, 1034)).toBe(6);
    expect(t.writeText(fd, 'd')).toBe(-EPERM);
    expect(t.call('ftruncate', fd, 2)).toBe(-EPERM);
    expect(t.call('pwrite64', fd, Buffer.from('x'), 1, 0)).toBe(1);
    expect(t.call('fcntl', fd, 1033, 8)).toBe(0);
    expect(t.call('pwrite64', fd, Buffer.from('x'), 1, 0)).toBe(-EPERM);
    const again = open(`/proc/self/fd/${fd}`, O.RDONLY);
    expect(t.readText(again)).toBe('xbc');
    expect(t.call('fcntl', t.call('memfd_create', 'n', 0), 1033, 4)).toBe(-EPERM);
    expect(t.call('memfd_create', 'n', 4)).toBe(-EINVAL);
  });

  test('advice and syncing', () => {
    const fd = open('f', O.CREAT | O.RDWR);
    expect(t.call('fadvise64', fd, 0, 0, 4)).toBe(0);
    expect(t.call('fadvise64', fd, 0, 0, 9)).toBe(-EINVAL);
    expect(t.call('readahead', fd, 0, 10)).toBe(0);
    expect(t.call('fsync', fd)).toBe(0);
    expect(t.call('syncfs', fd)).toBe(0);
    t.call('pipe', t.alloc(8));
    expect(t.call('fsync', 1)).toBe(-EINVAL);
    expect(t.call('fadvise64', 1, 0, 0, 0)).toBe(-ESPIPE);
  });
});

describe('/proc and /dev', () => {
  const readAll = (name: string): string | number => {
    const fd = open(name);
    return fd < 0 ? fd : t.readText(fd);
  };

  test('the guest program, not lift64', () => {
    const out = t.alloc(4096);
    expect(t.text(out, t.call('readlink', '/proc/self/exe', out, 4096))).toBe('/bin/true');
    expect(t.text(out, t.call('readlink', '/proc/4711/exe', out, 4096))).toBe('/bin/true');
    expect(t.text(out, t.call('readlink', '/proc/self', out, 4096))).toBe('4711');
    expect(t.text(out, t.call('readlink', '/proc/self/cwd', out, 4096))).toBe(dir);
    expect(readAll('/proc/self/cmdline')).toBe('true\0-x\0');
    expect(readAll('/proc/4711/environ')).toBe('A=1\0');
    expect(readAll('/proc/self/maps')).toContain('/bin/true');
    expect(readAll('/proc/self/task/4711/comm')).toBe('true\n');
    expect(readAll('/proc/self/stat')).toMatch(/^4711 \(true\) R 1 4711 4700 /);
    expect((readAll('/proc/self/stat') as string).split(' ').length).toBe(52);
    expect(readAll('/proc/self/status')).toContain('Pid:\t4711\n');
    expect(readAll('/proc/cpuinfo')).toContain('processor\t: 1\n');
    expect(readAll('/proc/meminfo')).toContain('MemTotal:        3145728 kB\n');
    expect(readAll('/proc/self/nothing')).toBe(-ENOENT);
    expect(readAll('/proc/self/mem')).toBe(-EIO);
    expect(readAll('/proc/self/mounts')).toBe(fs.readFileSync('/proc/self/mounts', 'latin1'));
    const exe = open('/proc/self/exe');
    expect(statOf((o) => t.call('fstat', exe, o))).toMatchObject({
      ino: fs.statSync('/bin/true', { bigint: true }).ino,
    });
    expect(open('/proc/self/exe', O.NOFOLLOW)).toBe(-ELOOP);
    expect(t.call('unlink', '/proc/self/exe')).toBe(-EPERM);
  });

  test('names relative to /proc', () => {
    const d = open('/proc/self', O.DIRECTORY);
    const out = t.alloc(64);
    expect(t.text(out, t.call('readlinkat', d, 'exe', out, 64))).toBe('/bin/true');
    expect(t.call('chdir', '/proc/self')).toBe(0);
    expect(t.text(out, t.call('readlink', 'exe', out, 64))).toBe('/bin/true');
    expect(t.text(out, t.call('getcwd', out, 64) - 1)).toBe('/proc/4711');
    expect(readAll('../cpuinfo')).toContain('lift64');
  });

  test('/proc/self/fd', () => {
    fs.writeFileSync(at('f'), 'content');
    open('f');
    t.call('pipe', t.alloc(8));
    t.call('eventfd2', 0, 0);
    const d = open('/proc/self/fd', O.DIRECTORY);
    const out = t.alloc(512);
    const link = (fd: number): string => t.text(out, t.call('readlink', `/proc/self/fd/${fd}`, out, 512));
    expect(link(0)).toBe(at('f'));
    expect(link(1)).toMatch(/^pipe:\[\d+\]$/);
    expect(link(1)).toBe(link(2));
    expect(link(3)).toBe('anon_inode:[eventfd]');
    expect(link(d)).toBe('/proc/4711/fd');
    const n = t.call('getdents64', d, out, 512);
    const names: string[] = [];
    for (let o = out; o < out + n; o += t.mem.view.getUint16(o + 16, true))
      names.push(t.text(o + 19, 8).replace(/\0.*/s, ''));
    expect(names).toEqual(['.', '..', '0', '1', '2', '3', '4']);
    expect(readAll('/dev/fd/0')).toBe('content');
    expect(readAll('/dev/stdin')).toBe('content');
    expect(readAll('/proc/self/fdinfo/1')).toMatch(/^pos:\t0\nflags:\t00\n/);
    expect(t.call('readlink', '/proc/self/fd/99', out, 512)).toBe(-ENOENT);
    const st = statOf((o) => t.call('stat', '/proc/self/fd/1', o));
    expect(Number((st as { mode: bigint }).mode)).toBe(0o010600);
    expect(Number((statOf((o) => t.call('lstat', '/proc/self/fd/1', o)) as { mode: bigint }).mode) & 0o170000).toBe(
      0o120000,
    );
  });

  test('devices', () => {
    const z = open('/dev/zero', O.RDWR);
    const b = t.put(Buffer.alloc(8, 1));
    expect(t.call('read', z, b, 8)).toBe(8);
    expect(t.bytes(b, 8)).toEqual(Buffer.alloc(8));
    expect(t.readText(open('/dev/null', O.RDWR))).toBe('');
    expect(t.writeText(open('/dev/null', O.WRONLY), 'x')).toBe(1);
    expect(t.writeText(open('/dev/full', O.WRONLY), 'x')).toBe(-28);
    expect(t.call('read', open('/dev/urandom'), b, 8)).toBe(8);
    expect(t.call('lseek', z, 0, 1)).toBe(0);
  });
});

describe('streams', () => {
  test('FIFOs: no writer yet is no end of file', () => {
    execFileSync('mkfifo', [at('p')]);
    expect(open('p', O.WRONLY | O.NONBLOCK)).toBe(-ENXIO);
    const r = open('p', O.RDONLY);
    let w = -1;
    // The writer comes while the reader waits.
    t.port.onPark = () => {
      if (w >= 0) return;
      w = fs.openSync(at('p'), fs.constants.O_WRONLY | fs.constants.O_NONBLOCK);
      fs.writeSync(w, 'data');
    };
    expect(t.readText(r)).toBe('data');
    t.port.onPark = undefined;
    const q = t.alloc(8);
    t.mem.view.setInt32(q, r, true);
    t.mem.view.setInt16(q + 4, 1, true);
    expect(t.call('poll', q, 1, 0)).toBe(0);
    fs.writeSync(w, 'more');
    expect(t.call('poll', q, 1, 1000)).toBe(1);
    expect(t.readText(r)).toBe('m');
    expect(t.readText(r)).toBe('ore');
    fs.closeSync(w);
    expect(t.readText(r)).toBe('');
    // A writer waits for a reader.
    t.call('close', r);
    let reader = -1;
    t.port.onPark = () => {
      if (reader < 0) reader = fs.openSync(at('p'), fs.constants.O_RDONLY | fs.constants.O_NONBLOCK);
    };
    const writer = open('p', O.WRONLY);
    expect(writer).toBeGreaterThanOrEqual(0);
    expect(t.writeText(writer, 'x')).toBe(1);
    fs.closeSync(reader);
    expect(t.writeText(writer, 'x')).toBe(-EPIPE);
    expect(t.port.signals).toEqual([13]);
  });

  test('an inherited pipe is read through the main thread, no more than asked for', () => {
    execFileSync('mkfifo', [at('p')]);
    const host = fs.openSync(at('p'), fs.constants.O_RDWR);
    const file = describeFile(t.files.state, host, bytePath('/dev/stdin'), O.RDONLY, MARK.INHERITED);
    const fd = installFile(t.files.state, t.files.table, file, false, 10);
    fs.writeSync(host, 'abcdef');
    t.port.interruptedNow = true;
    expect(t.readText(fd, 3)).toBe(-ERESTARTSYS);
    expect(t.port.requests).toEqual([0]);
    expect(t.readText(fd, 2)).toBe(-ERESTARTSYS);
    // One request at a time.
    expect(t.port.requests).toEqual([0]);
  });

  test('an inherited regular file keeps the offset that it shares with others', () => {
    fs.writeFileSync(at('f'), '0123456789');
    const host = fs.openSync(at('f'), 'r');
    fs.readSync(host, Buffer.alloc(2), 0, 2, null);
    const file = describeFile(t.files.state, host, bytePath(at('f')), O.RDONLY, MARK.INHERITED);
    const fd = installFile(t.files.state, t.files.table, file, false, 10);
    expect(t.readText(fd, 3)).toBe('234');
    expect(t.call('lseek', fd, 0, 1)).toBe(5);
    const b = Buffer.alloc(1);
    fs.readSync(host, b, 0, 1, null);
    expect(b.toString()).toBe('5');
    expect(t.call('lseek', fd, 1, 1)).toBe(7);
    expect(t.readText(fd)).toBe('789');
  });
});
