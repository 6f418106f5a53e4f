/** Worker entry for tests of the kernel with real workers. In: tasks from the supervisor, whose r15 is the number of a program. Out: programs run. */
import { runGuestThread, serveWorker } from '../../runtime/threads/worker.js';
import { fakeThread } from './fake-thread.js';
import { Leave, Machine } from './machine.js';
import { PROGRAMS } from './programs.js';

serveWorker({
  run(kernel, task, memory) {
    const t = fakeThread(kernel, task, memory);
    runGuestThread(t, () => {
      const m = new Machine(t, Object.keys(PROGRAMS));
      const program = Object.values(PROGRAMS)[Number(t.cpu.reg(15))];
      try {
        m.runHandlers();
        const code = program?.(m) ?? 0;
        m.sys(60, code);
      } catch (e) {
        if (!(e instanceof Leave)) throw e;
      }
    });
  },
});
