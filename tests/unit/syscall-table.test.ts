/** The system call table: numbers, formats, refusals; dispatch's registers; strace lines in the brief's form. */
import { describe, expect, test } from '@jest/globals';
import { GPR } from '../../src/guest/cpu-state.js';
import { allRows, buildTable, rowOf, SYSCALL_COUNT } from '../../runtime/linux/table.js';
import { isFormat } from '../../runtime/linux/strace.js';
import { firstThread, sys } from '../support/fake-thread.js';

const SCRATCH = 0x2_0000;

function text(s: string): Uint8Array {
  return Buffer.from(`${s}\0`, 'latin1');
}

describe('table', () => {
  test('every number that x86-64 names has one row', () => {
    expect(SYSCALL_COUNT).toBeGreaterThan(460);
    for (const [nr, name] of [
      [0, 'read'],
      [9, 'mmap'],
      [56, 'clone'],
      [59, 'execve'],
      [202, 'futex'],
      [231, 'exit_group'],
      [334, 'rseq'],
      [424, 'pidfd_send_signal'],
      [435, 'clone3'],
      [462, 'mseal'],
    ] as const)
      expect(rowOf(nr)?.name).toBe(name);
    expect(rowOf(335)).toBeUndefined();
    expect(allRows()).toHaveLength(335 + SYSCALL_COUNT - 424);
  });

  test('rows use formats that strace has; what is not whole has a note', () => {
    for (const row of allRows()) {
      for (const format of row.args === '' ? [] : row.args.split(','))
        expect([row.name, format, isFormat(format)]).toEqual([row.name, format, true]);
      expect(row.args.split(',').length).toBeLessThanOrEqual(6);
      if (row.support !== 'yes') expect([row.name, row.note ?? '']).not.toEqual([row.name, '']);
      if (row.support !== 'no') expect([row.name, row.handler === undefined]).toEqual([row.name, false]);
    }
  });

  test('a wrong name or two rows for a number throw', () => {
    const row = { nr: 39, name: 'getpid', args: '', support: 'yes' } as const;
    expect(() => buildTable([[row], [row]])).toThrow('two rows');
    expect(() => buildTable([[{ ...row, name: 'getpit' }]])).toThrow('number 39 is getpid');
  });
});

describe('dispatch', () => {
  test('rcx is rip and r11 the flags, as SYSCALL leaves them; other registers stay', () => {
    const { t } = firstThread();
    for (let r = 0; r < 16; r++) t.cpu.setReg(r, BigInt(100 + r));
    t.cpu.eflags = 0x246;
    expect(sys(t, 39)).toBe(4459);
    expect(t.cpu.reg(GPR.RCX)).toBe(0x40_1002n);
    expect(t.cpu.reg(GPR.R11)).toBe(0x246n);
    for (const r of [2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 13, 14, 15]) expect(t.cpu.reg(r)).toBe(BigInt(100 + r));
  });

  test('results of 64 bits and negative ones', () => {
    const { t } = firstThread();
    t.cpu.fsBase = 0x7fff_1234_5678n;
    expect(sys(t, 158, 0x1003, SCRATCH)).toBe(0);
    expect(t.mem.readU64(SCRATCH)).toBe(0x7fff_1234_5678n);
    expect(sys(t, 158, 0x1002, 1n << 47n)).toBe(-1);
    expect(t.cpu.reg(GPR.RAX)).toBe(-1n);
    expect(sys(t, 201, 0)).toBeGreaterThan(1_600_000_000);
  });

  test('unknown calls give ENOSYS and are named once; quiet ones are not', () => {
    const { t } = firstThread();
    expect(sys(t, 216, 1, 2)).toBe(-38);
    expect(sys(t, 216, 1, 2)).toBe(-38);
    expect(sys(t, 9999)).toBe(-38);
    expect(sys(t, -1)).toBe(-38);
    expect(sys(t, 334)).toBe(-38);
    expect(sys(t, 164)).toBe(-1);
    expect(t.logged).toEqual([
      'lift64: unsupported syscall 216 (remap_file_pages)\n',
      'lift64: unsupported syscall 9999\n',
      'lift64: unsupported syscall -1\n',
      'lift64: unsupported syscall 164 (settimeofday)\n',
    ]);
  });
});

describe('strace', () => {
  function line(nr: number, ...args: (number | bigint)[]): string {
    const { t, kernel } = firstThread(true);
    kernel.supervision = {
      startTask: () => undefined,
      kick: () => undefined,
      timerChanged: () => undefined,
      groupChanged: () => undefined,
    };
    t.mem.write(SCRATCH, text('a"b\n\x01é'));
    t.mem.writeU64(SCRATCH + 64, 3n);
    t.mem.writeU64(SCRATCH + 72, 250n);
    sys(t, nr, ...args);
    return t.logged.join('');
  }

  test('decimal, errno, pointers', () => {
    expect(line(39)).toBe('4459 getpid() = 4459\n');
    expect(line(218, SCRATCH)).toBe('4459 set_tid_address(0x0000000000020000) = 4459\n');
    expect(line(13, 11, 8, 0, 8)).toBe(
      '4459 rt_sigaction(SIGSEGV,0x0000000000000008,NULL) = -1 errno=14 (Bad address)\n',
    );
    expect(line(62, 99, 15)).toBe('4459 kill(99,SIGTERM) = -1 errno=3 (No such process)\n');
  });

  test('flags and constants', () => {
    expect(line(56, 0x711, 0x70_0000)).toBe(
      '4459 clone(CLONE_VM|CLONE_FS|CLONE_FILES|0x11,child_stack=0x0000000000700000,parent_tidptr=0x0000000000000000,child_tidptr=0x0000000000000000,tls=0x0000000000000000) = 4460\n',
    );
    expect(line(202, SCRATCH + 64, 0x89, 4, SCRATCH + 64, 0, -1)).toBe(
      '4459 futex(0x0000000000020040,FUTEX_PRIVATE_FLAG|FUTEX_WAIT_BITSET,4,{tv_sec = 3,tv_nsec = 250},NULL,-1) = -1 errno=11 (Resource temporarily unavailable)\n',
    );
    expect(line(228, 1, 8)).toBe(
      '4459 clock_gettime(CLOCK_MONOTONIC,0x0000000000000008) = -1 errno=14 (Bad address)\n',
    );
    expect(line(14, 0, 0, 0, 8)).toBe('4459 rt_sigprocmask(SIG_BLOCK,NULL,NULL) = 0\n');
    expect(line(61, -1, 0, 0x4000_0001, 0)).toBe(
      '4459 wait4(-1,NULL,WNOHANG|__WALL,NULL) = -1 errno=10 (No child processes)\n',
    );
  });

  test('exit prints at its entry', () => {
    expect(line(231, 3)).toBe('4459 exit_group(3)\n');
  });

  test('signals', () => {
    expect(line(234, 4459, 4459, 10)).toBe(
      '4459 tgkill(4459,4459,SIGUSR1) = 0\n--- SIGUSR1 {si_signo=SIGUSR1, si_code=SI_TKILL, si_pid=4459, si_uid=1000} ---\n',
    );
  });
});
