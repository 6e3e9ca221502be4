// Exports the disks of a running system by NBD, so that the host's own tools read and write them. Every
// byte passes driver and controller. A disk with a mounted volume is exported read-only.

import { createServer, type Server, type Socket } from 'node:net';
import type { FileSystem } from '../fs.ts';
import { type Export, serveClient } from './session.ts';

export interface NbdOptions {
  /** 0: any that is free. */
  readonly port?: number;
  /** Who may connect; default: this host alone. */
  readonly host?: string;
}

export interface NbdServer extends AsyncDisposable {
  readonly port: number;
  /** No more clients; those that there are are dropped. */
  close(): Promise<void>;
}

const CLIENTS_MOST = 16;
const TRIM_SECTOR = 512;

export async function exportNbd(fs: FileSystem, options: NbdOptions = {}): Promise<NbdServer> {
  const { port = 0, host = '127.0.0.1' } = options;
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    if (sockets.size >= CLIENTS_MOST) {
      socket.destroy();
      return;
    }
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => sockets.delete(socket));
    void serve(fs, socket);
  });
  await listening(server, { port, host });
  const address = server.address();
  const close = async (): Promise<void> => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  };
  return {
    port: typeof address === 'object' && address !== null ? address.port : port,
    close,
    [Symbol.asyncDispose]: close,
  };
}

function listening(server: Server, at: { port: number; host: string }): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(at, () => {
      server.removeListener('error', reject);
      resolve();
    });
  });
}

/** A client that goes away in the middle, or a machine that ends, ends the session and nothing else. */
async function serve(fs: FileSystem, socket: Socket): Promise<void> {
  const opened: (() => Promise<void>)[] = [];
  const find = async (name: string): Promise<Export | undefined> => {
    const [first] = await diskNames(fs);
    const disk = name === '' ? first : name;
    if (disk === undefined || !(await diskNames(fs)).includes(disk)) return undefined;
    const { close, ...found } = await openExport(fs, disk);
    opened.push(close);
    return found;
  };
  try {
    await serveClient(socket, find, () => diskNames(fs));
  } catch {
    // its socket is closed below: that is all that a client can be told
  } finally {
    socket.destroySoon(); // what was answered goes out first
    for (const close of opened) await close().catch(() => undefined);
  }
}

const diskNames = async (fs: FileSystem): Promise<string[]> =>
  (await fs.readdir('/dev/sd')).filter((name) => /^sd[A-Z]\d+$/.test(name)).sort();

async function openExport(
  fs: FileSystem,
  disk: string,
): Promise<Export & { close(): Promise<void> }> {
  const at = `/dev/sd/${disk}`;
  const mounts = await fs.readFile('/proc/mounts', 'utf8');
  const ctl = await fs.readFile(`${at}/ctl`, 'utf8');
  const readOnly = mounts.includes(`${at}/`) || ctl.includes('state read-only');
  const file = await fs.open(`${at}/data`, readOnly ? 'r' : 'r+');
  const { size: sizeBytes } = await file.stat();
  return {
    ...{ name: disk, sizeBytes, readOnly },
    async read(offset, into) {
      for (let done = 0; done < into.length; ) {
        const part = { offset: done, length: into.length - done, position: offset + done };
        const { bytesRead } = await file.read(into, part);
        if (bytesRead === 0) throw new Error(`${disk}: nothing to read at ${offset + done}`);
        done += bytesRead;
      }
    },
    async write(offset, data) {
      if (data.length > 0) await file.write(data, { position: offset });
    },
    flush: () => file.sync(),
    async trim(offset, length) {
      const lba = Math.ceil(offset / TRIM_SECTOR);
      const count = Math.floor((offset + length) / TRIM_SECTOR) - lba;
      if (count > 0) await fs.writeFile(`${at}/ctl`, `trim ${lba} ${count}`);
    },
    close: () => file.close(),
  };
}
