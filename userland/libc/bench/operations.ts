// What `bench` can do over and over: each operation prepares what it needs, then runs by number.

import {
  O_CREAT,
  O_EXCL,
  O_RDONLY,
  O_RDWR,
  O_TRUNC,
  O_WRONLY,
  SEEK_SET,
} from '../../../kernel/abi/constants.ts';
import { encodeText } from '../../../kernel/abi/text.ts';
import { join, listDirectory } from '../files/path.ts';
import { findProgram } from '../stdlib.ts';
import type { SpawnRequest, Sys } from '../sys.ts';

/** Where and how much. */
export interface Load {
  readonly sys: Sys;
  /** A file to read from and write to; for names, the directory to make them in. */
  readonly path: string;
  readonly count: number;
  /** Leave what was made: others go on with it. */
  readonly keep?: boolean;
  /** What was written is to be on the disk; that counts, too. */
  readonly sync?: boolean;
  /** Bytes of one read or write. */
  readonly size: number;
  /** Numbers 0..below-1. */
  readonly random: (below: number) => number;
}

export interface Prepared {
  /** The i-th time; it alone is measured, with `last`. */
  readonly run: (i: number) => void;
  /** What belongs to all of them: the fsync of many writes. */
  readonly last?: () => void;
  /** Takes back what was made. */
  readonly clean?: () => void;
  /** Bytes that one run moves. */
  readonly bytes?: number;
}

export interface Operation {
  readonly does: string;
  readonly prepare: (load: Load) => Prepared;
}

export const operations: Readonly<Record<string, Operation>> = {
  getppid: {
    does: 'a system call that the kernel answers alone',
    prepare: ({ sys }) => ({ run: () => void sys.getppid() }),
  },
  lseek: {
    does: 'moves the offset of FILE',
    prepare: (load) => onFile(load, (fd) => ({ run: (i) => void load.sys.lseek(fd, i, SEEK_SET) })),
  },
  fstat: {
    does: 'asks for the attributes of the open FILE',
    prepare: (load) => onFile(load, (fd) => ({ run: () => void load.sys.fstat(fd) })),
  },
  pread: {
    does: 'reads SIZE bytes of FILE at random places',
    prepare: (load) => onFile(load, (fd) => randomReads(load, fd)),
  },
  read: {
    does: 'reads FILE in order, SIZE bytes at a time, from the start again at its end',
    prepare: (load) => onFile(load, (fd) => reads(load, fd)),
  },
  write: {
    does: 'writes FILE anew in order, SIZE bytes at a time, then fsync',
    prepare: (load) => writes(load, O_WRONLY | O_CREAT | O_TRUNC, (i) => i * load.size),
  },
  pwrite: {
    does: 'writes SIZE bytes of FILE at random places, then fsync',
    prepare: (load) => {
      const { size } = load.sys.stat(load.path);
      const places = Math.max(1, Math.floor(size / load.size));
      return writes(load, O_RDWR, () => load.random(places) * load.size);
    },
  },
  create: {
    does: 'makes empty files in DIRECTORY, and leaves them open',
    prepare: (load) => {
      const fds: number[] = [];
      return {
        run: (i) => void fds.push(load.sys.open(nameOf(load, i), O_WRONLY | O_CREAT | O_EXCL)),
        clean: () => {
          for (const fd of fds) load.sys.close(fd);
          removeAll(load);
        },
      };
    },
  },
  files: {
    does: 'makes files of 5 bytes in DIRECTORY',
    prepare: (load) => ({ run: (i) => makeFile(load, i), clean: () => removeAll(load) }),
  },
  look: {
    does: 'asks for the attributes of all that DIRECTORY holds, in batches',
    prepare: ({ sys, path }) => {
      const names = listDirectory(sys, path).map(({ name }) => name);
      const calls = names.map((name) => ({ call: 'lstat', path: join(path, name) }) as const);
      return { run: () => void sys.batch(calls) };
    },
  },
  stat: {
    does: 'asks for the attributes of names in DIRECTORY',
    prepare: (load) => {
      for (let i = 0; i < load.count; i++) makeFile(load, i);
      return {
        run: (i) => void load.sys.stat(nameOf(load, i)),
        clean: () => removeAll(load),
      };
    },
  },
  unlink: {
    does: 'removes names of open files from DIRECTORY',
    prepare: (load) => {
      const fds = openAll(load);
      return {
        run: (i) => load.sys.unlink(nameOf(load, i)),
        clean: () => closeAll(load, fds),
      };
    },
  },
  rename: {
    does: 'renames files in DIRECTORY',
    prepare: (load) => {
      const fds = openAll(load);
      return {
        run: (i) => load.sys.rename(nameOf(load, i), `${nameOf(load, i)}.new`),
        clean: () => {
          closeAll(load, fds);
          for (let i = 0; i < load.count; i++) load.sys.unlink(`${nameOf(load, i)}.new`);
        },
      };
    },
  },
  spawn: {
    does: 'starts `true` and waits for it',
    prepare: ({ sys }) => {
      const request = requestFor(sys, ['true']);
      return { run: () => void sys.wait(sys.spawn(request)) };
    },
  },
  run: {
    does: 'starts the words of COMMAND, their output to /dev/null, and waits',
    prepare: ({ sys, path }) => {
      const output = { op: 'open', fd: 1, path: '/dev/null', flags: O_WRONLY, mode: 0 } as const;
      const request = { ...requestFor(sys, path.split(' ')), fdActions: [output] };
      return { run: () => void sys.wait(sys.spawn(request)) };
    },
  },
  pipe: {
    does: 'writes SIZE bytes into a pipe that another process reads',
    prepare: pipeTo,
  },
  loop: {
    does: 'writes SIZE bytes into a pipe, and reads them back',
    prepare: ({ sys, size }) => {
      const { read, write } = sys.pipe();
      const bytes = new Uint8Array(size);
      return {
        run: () => {
          sys.write(write, bytes);
          sys.read(read, bytes);
        },
        clean: () => {
          sys.close(read);
          sys.close(write);
        },
        bytes: size,
      };
    },
  },
  sink: {
    does: 'reads standard input to its end',
    prepare: ({ sys, size }) => {
      const into = new Uint8Array(size);
      return {
        run: () => {
          while (sys.read(0, into) > 0);
        },
      };
    },
  },
};

function requestFor(sys: Sys, argv: readonly string[]): SpawnRequest {
  const [name = 'true'] = argv;
  const found = findProgram(sys, name);
  return { path: 'path' in found ? found.path : name, argv, env: sys.env };
}

/** The reader is this program, too; the pipe is empty when it has ended. */
function pipeTo({ sys, size }: Load): Prepared {
  const { read, write } = sys.pipe();
  const reader = sys.spawn({
    ...requestFor(sys, ['bench', '-n', '1', '-s', String(size), 'sink']),
    fdActions: [
      { op: 'dup2', from: read, to: 0 },
      { op: 'open', fd: 1, path: '/dev/null', flags: O_WRONLY, mode: 0 },
      { op: 'close', fd: read },
      { op: 'close', fd: write },
    ],
  });
  sys.close(read);
  const from = new Uint8Array(size);
  return {
    run: () => void sys.write(write, from),
    last: () => {
      sys.close(write);
      sys.wait(reader);
    },
    bytes: size,
  };
}

/** Opens the file for as long as it is worked on. */
function onFile(load: Load, body: (fd: number) => Prepared): Prepared {
  const fd = load.sys.open(load.path, O_RDONLY);
  const prepared = body(fd);
  return {
    ...prepared,
    clean: () => {
      prepared.clean?.();
      load.sys.close(fd);
    },
  };
}

/** Each place once before any comes again, so that what is read cold is cold. */
function randomReads({ sys, path, size, random }: Load, fd: number): Prepared {
  const places = Math.max(1, Math.floor(sys.stat(path).size / size));
  const order = Uint32Array.from({ length: places }, (_, i) => i);
  for (let i = places - 1; i > 0; i--) {
    const j = random(i + 1);
    const other = order[j] ?? 0;
    order[j] = order[i] ?? 0;
    order[i] = other;
  }
  const into = new Uint8Array(size);
  return { run: (i) => void sys.pread(fd, into, (order[i % places] ?? 0) * size), bytes: size };
}

function reads({ sys, size }: Load, fd: number): Prepared {
  const into = new Uint8Array(size);
  return {
    run: () => {
      if (sys.read(fd, into) === 0) sys.lseek(fd, 0, SEEK_SET);
    },
    bytes: size,
  };
}

function writes(load: Load, flags: number, placeOf: (i: number) => number): Prepared {
  const { sys, path, size, random } = load;
  const fd = sys.open(path, flags);
  const from = Uint8Array.from({ length: size }, () => random(256));
  return {
    run: (i) => void sys.pwrite(fd, from, placeOf(i)),
    last: () => sys.fsync(fd),
    clean: () => sys.close(fd),
    bytes: size,
  };
}

const nameOf = ({ path }: Load, i: number): string => `${path}/bench.${i}`;
const FIVE = encodeText('five\n');

function makeFile(load: Load, i: number): void {
  const fd = load.sys.open(nameOf(load, i), O_WRONLY | O_CREAT | O_EXCL);
  load.sys.write(fd, FIVE);
  load.sys.close(fd);
}

function removeAll(load: Load): void {
  for (let i = 0; i < load.count; i++) load.sys.unlink(nameOf(load, i));
}

const openAll = (load: Load): number[] =>
  Array.from({ length: load.count }, (_, i) =>
    load.sys.open(nameOf(load, i), O_WRONLY | O_CREAT | O_EXCL),
  );

function closeAll({ sys }: Load, fds: readonly number[]): void {
  for (const fd of fds) sys.close(fd);
}
