/**
 * The main thread's side of sockets. In: requests of guest threads. Out: results in the sockets' records, and wakes. Source: Node's net.
 */
import * as fs from 'node:fs';
import { EADDRINUSE, EEXIST } from '../linux/errno.js';
import { hostCall, hostFailure } from '../vfs/host-error.js';
import { nodeModules } from '../linux/node-modules.js';
import type { VfsState } from '../vfs/state.js';
import { wakeAll } from '../vfs/wait-queue.js';
import { SOCKET } from './layout.js';
import { HostTcp } from './host-tcp.js';
import { HostUdp } from './host-udp.js';
import type { NetRequest } from './requests.js';
import { set, socketQueue } from './socket-table.js';

/** Longest path that the host takes in a sockaddr_un, with its NUL. */
const LONGEST_PATH = 100;

export class NetService {
  private made = 0;
  private readonly tcp: HostTcp;
  private readonly udp: HostUdp;

  /** @param state has the main thread's port */
  constructor(private readonly state: VfsState) {
    this.tcp = new HostTcp(state);
    this.udp = new HostUdp(state);
  }

  request(r: NetRequest): void {
    const answer = (result: number): void => {
      set(this.state, r.socket, SOCKET.RESULT, result);
      wakeAll(this.state, socketQueue(r.socket));
    };
    switch (r.kind) {
      case 'bind-path':
        this.makeSocketFile(r.path, r.mode, answer);
        break;
      case 'look':
        if (!this.tcp.look(r.socket)) this.udp.look(r.socket);
        break;
      case 'reserve':
        this.tcp.reserve(r, answer);
        break;
      case 'release':
        this.tcp.release(r.socket);
        this.udp.release(r.socket);
        break;
      case 'connect':
        this.tcp.connect(r);
        break;
      case 'udp':
        this.udp.bind(r, answer);
        break;
      case 'route':
        this.udp.route(r, answer);
        break;
      case 'multicast':
        answer(this.udp.multicast(r));
        break;
      case 'group':
        answer(this.udp.group(r));
        break;
    }
  }

  /** lift64 ends: once what its guests have sent is on its way, or after `patienceMs`, all is closed. */
  async close(patienceMs: number): Promise<void> {
    await this.tcp.close(patienceMs);
    this.udp.close();
  }

  /**
   * Makes a socket file. Node makes one for a server that listens, and removes its name again when that is closed: so the server listens at a name beside the
   * path, and the path is a second name of the file. 0, or -errno.
   */
  private makeSocketFile(path: string, mode: number, done: (result: number) => void): void {
    const slash = path.lastIndexOf('/');
    const directory = slash < 0 ? '.' : path.slice(0, slash + 1);
    let fd = -1;
    let place = directory;
    if (directory.length > LONGEST_PATH - 40) {
      fd = hostCall(() => fs.openSync(directory, 'r'));
      place = `/proc/self/fd/${String(fd)}/`;
    }
    const beside = `${place}.l64-${String(process.pid)}-${String(this.made++)}`;
    const finish = (result: number): void => {
      if (fd >= 0) fs.closeSync(fd);
      done(result);
    };
    const server = nodeModules.net().createServer();
    server.on('error', (error) => {
      finish(hostFailure(error));
    });
    server.listen(beside, () => {
      const result = hostCall(() => {
        fs.chmodSync(beside, mode);
        fs.linkSync(beside, path);
        return 0;
      });
      server.close(() => {
        finish(result === -EEXIST ? -EADDRINUSE : result);
      });
    });
  }
}
